// HostLoad: how busy the build host was over a grid of cells, from the samples that the daemon took
// (`machine` spans, docs/trace_format.md).
#pragma once

#include <optional>
#include <vector>

#include "report/bounds.h"
#include "report/columns.h"
#include "report/time_grid.h"
#include "report/units.h"

namespace llama::report {

struct HostLoad {
  // Of all processors, by cell: 0 to 1; negative where there was no sample.
  std::vector<double> cpu_busy;
  int64_t cpus = 0;  // 0: not known
};

HostLoad MeasureHostLoad(const Columns& trace, const Units& units, const TimeGrid& grid);

// The mean of cpu_busy over the time that `bound` has; none if samples cover less than half of it.
std::optional<double> CpuBusyWhile(const Columns& trace, const Units& units, const Bounds& bounds,
                                   Bound bound);

}  // namespace llama::report
