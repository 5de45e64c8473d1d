#include "analysis/path/bound_load.h"

#include "analysis/resources/host_load.h"

namespace llama::analysis {

std::optional<double> CpuBusyWhile(const traces::Columns& trace, const Units& units,
                                   const Bounds& bounds, Bound bound) {
  const TimeGrid grid = BoundGrid(units);
  const HostLoad load = MeasureHostLoad(trace, units, grid);
  TimeSpent spent(grid);
  for (const BoundInterval& interval : bounds.intervals) {
    if (interval.bound == bound) spent.Add(interval.begin_ns, interval.end_ns);
  }
  const std::vector<double> shares = spent.Mean();
  double busy_ns = 0;
  double covered_ns = 0;
  double all_ns = 0;
  for (size_t cell = 0; cell < grid.size(); ++cell) {
    const double ns = shares[cell] * static_cast<double>(grid.length_ns(cell));
    all_ns += ns;
    if (load.cpu_busy[cell] < 0) continue;
    covered_ns += ns;
    busy_ns += ns * load.cpu_busy[cell];
  }
  if (covered_ns <= 0 || covered_ns < all_ns / 2) return std::nullopt;
  return busy_ns / covered_ns;
}

}  // namespace llama::analysis
