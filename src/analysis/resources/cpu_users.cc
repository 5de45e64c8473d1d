#include "analysis/resources/cpu_users.h"

#include <algorithm>

#include "analysis/resources/machine_samples.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

double NsOf(const traces::FieldColumn& field, traces::Row row) {
  return static_cast<double>(traces::CountAt(field, row).value_or(0));
}

// What this build's commands took in functions.
double CommandsNs(const traces::Columns& trace, std::optional<uint32_t> build) {
  const traces::FieldColumn& user = trace.field(trace::field::kUserNs);
  const traces::FieldColumn& system = trace.field(trace::field::kSystemNs);
  double own_ns = 0;
  for (const traces::Row row : trace.rows_named(trace::span::kExec)) {
    if (build && trace.build()[row] != *build) continue;
    own_ns += NsOf(user, row) + NsOf(system, row);
  }
  return own_ns;
}

}  // namespace

std::optional<CpuUsers> MeasureCpuUsers(const traces::Columns& trace, std::optional<uint32_t> build,
                                        const TimeWeight& weight) {
  const traces::FieldColumn& user = trace.field(trace::field::kCpuUserNs);
  const traces::FieldColumn& system = trace.field(trace::field::kCpuSystemNs);
  const traces::FieldColumn& own = trace.field(trace::field::kCpuBuildNs);
  const traces::FieldColumn& others = trace.field(trace::field::kCpuOtherBuildsNs);
  const traces::FieldColumn& daemon_user = trace.field(trace::field::kDaemonUserNs);
  const traces::FieldColumn& daemon_system = trace.field(trace::field::kDaemonSystemNs);
  const traces::FieldColumn& children = trace.field(trace::field::kDaemonChildrenNs);
  const traces::FieldColumn& workers = trace.field(trace::field::kWorkersCpuNs);
  CpuUsers out;
  double all_ns = 0;
  // Of the workers, over the whole build: while there was no other, and while there was.
  double alone_ns = 0;
  double shared_ns = 0;
  double shared_part_ns = 0;  // what of shared_ns counts
  bool any = false;
  const MachineSamples samples(trace, build);
  for (const traces::Row row : samples.rows()) {
    if (!own.Has(row) || !user.Has(row)) continue;
    (others.Has(row) ? shared_ns : alone_ns) += NsOf(workers, row);
    const double part = weight ? weight(trace.start_ns()[row], trace.end_ns(row)) : 1;
    if (part <= 0) continue;
    any = true;
    all_ns += part * (NsOf(user, row) + NsOf(system, row));
    out.build_ns += part * NsOf(own, row);
    out.other_builds_ns += part * NsOf(others, row);
    out.children_ns += part * NsOf(children, row);
    out.daemon_ns +=
        part * (NsOf(daemon_user, row) + NsOf(daemon_system, row) + NsOf(children, row));
    out.workers_ns += part * NsOf(workers, row);
    if (others.Has(row)) shared_part_ns += part * NsOf(workers, row);
  }
  if (!any) return std::nullopt;
  // Workers serve all builds of a daemon: what they did not for this one was for another.
  if (shared_ns > 0) {
    const double own_ns = std::clamp(CommandsNs(trace, build) - alone_ns, 0.0, shared_ns);
    const double foreign_ns = shared_part_ns * (1 - own_ns / shared_ns);
    out.workers_ns -= foreign_ns;
    out.other_builds_ns += foreign_ns;
  }
  // The kernel counts processes and processors by different clocks.
  out.other_programs_ns = std::max(0.0, all_ns - out.used_ns());
  return out;
}

}  // namespace llama::analysis
