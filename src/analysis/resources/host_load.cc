#include "analysis/resources/host_load.h"

#include <algorithm>

#include "analysis/resources/machine_samples.h"
#include "analysis/units/phase_intervals.h"
#include "trace/names.h"

namespace llama::analysis {
HostLoad MeasureHostLoad(const traces::Columns& trace, const Units& units, const TimeGrid& grid) {
  HostLoad out;
  out.cpu_busy.assign(grid.size(), -1);
  if (units.build_row) out.cpus = NsAt(trace.field(trace::field::kCpus), *units.build_row);
  const traces::FieldColumn& user = trace.field(trace::field::kCpuUserNs);
  const traces::FieldColumn& system = trace.field(trace::field::kCpuSystemNs);
  const traces::FieldColumn& steal = trace.field(trace::field::kCpuStealNs);
  const traces::FieldColumn& cores = trace.field(trace::field::kCpuCores);
  const MachineSamples samples(trace, units.build);
  for (const traces::Row row : samples.rows()) {
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

}  // namespace llama::analysis
