#include "report/host_load.h"

#include <algorithm>

#include "report/phase_times.h"

namespace llama::report {
namespace {

// As fine as the bounds are.
constexpr int64_t kCells = 240;
constexpr int64_t kLeastCellNs = 20'000'000;

}  // namespace

HostLoad MeasureHostLoad(const Columns& trace, const Units& units, const TimeGrid& grid) {
  HostLoad out;
  out.cpu_busy.assign(grid.size(), -1);
  if (units.build_row) out.cpus = NsAt(trace.field("cpus"), *units.build_row);
  const FieldColumn& user = trace.field("cpu.user_ns");
  const FieldColumn& system = trace.field("cpu.system_ns");
  const FieldColumn& steal = trace.field("cpu.steal_ns");
  const FieldColumn& cores = trace.field("cpu.cores");
  for (const Row row : trace.rows_named("machine")) {
    if (units.build && trace.build()[row] != *units.build) continue;
    const int64_t count = NsAt(cores, row);
    const int64_t duration_ns = trace.duration_ns()[row];
    if (count == 0 || duration_ns == 0 || !user.Has(row)) continue;
    if (out.cpus == 0) out.cpus = count;
    const double busy =
        (static_cast<double>(NsAt(user, row)) + static_cast<double>(NsAt(system, row)) +
         static_cast<double>(NsAt(steal, row))) /
        static_cast<double>(duration_ns) / static_cast<double>(count);
    // The sample counts for the cells whose middle it covers.
    const int64_t begin_ns = std::max(trace.start_ns()[row], grid.start_ns());
    const int64_t end_ns = std::min(trace.end_ns(row), grid.end_ns());
    if (begin_ns >= end_ns) continue;
    for (size_t cell = grid.CellOf(begin_ns); cell <= grid.CellOf(end_ns - 1); ++cell) {
      const int64_t middle_ns = grid.begin_ns(cell) + grid.length_ns(cell) / 2;
      if (middle_ns >= begin_ns && middle_ns < end_ns) {
        out.cpu_busy[cell] = std::min(1.0, busy);
      }
    }
  }
  return out;
}

std::optional<double> CpuBusyWhile(const Columns& trace, const Units& units, const Bounds& bounds,
                                   Bound bound) {
  const TimeGrid grid(units.start_ns, units.end_ns, kCells, kLeastCellNs);
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

}  // namespace llama::report
