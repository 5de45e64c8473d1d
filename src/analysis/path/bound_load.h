// How busy the build host was while one bound held: whether more of what was short would have
// helped.
#pragma once

#include <optional>

#include "analysis/path/bounds.h"
#include "analysis/units/units.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

// The mean of HostLoad::cpu_busy over the time that `bound` has; none if samples cover less than
// half of it.
std::optional<double> CpuBusyWhile(const traces::Columns& trace, const Units& units,
                                   const Bounds& bounds, Bound bound);

}  // namespace llama::analysis
