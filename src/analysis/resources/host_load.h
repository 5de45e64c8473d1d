// HostLoad: how busy the build host was over a grid of cells, from the samples that the daemon took
// (`machine` spans, docs/trace_format.md).
#pragma once

#include <vector>

#include "analysis/units/time_grid.h"
#include "analysis/units/units.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

struct HostLoad {
  // Of all processors, by cell: 0 to 1; negative where there was no sample.
  std::vector<double> cpu_busy;
  int64_t cpus = 0;  // 0: not known
};

HostLoad MeasureHostLoad(const traces::Columns& trace, const Units& units, const TimeGrid& grid);

}  // namespace llama::analysis
