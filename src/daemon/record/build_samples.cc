#include "daemon/record/build_samples.h"

#include <algorithm>
#include <vector>

#include "trace/names.h"

namespace llama::daemon {

void BuildSamples::Tick(const Workers& workers) {
  if (!builds_.ActiveBuilds().empty()) Take(workers, {}, 0);
}

namespace {

void SetShares(const ProcessCpu::Spent& spent, pid_t pid, trace::Span& span) {
  const auto own = spent.builds_ns.find(pid);
  if (own == spent.builds_ns.end()) return;
  int64_t all_ns = 0;
  for (const auto& [build, ns] : spent.builds_ns) all_ns += ns;
  span.Set(trace::field::kCpuBuildNs, own->second);
  if (spent.builds_ns.size() > 1) {
    span.Set(trace::field::kCpuOtherBuildsNs, all_ns - own->second);
  }
  span.Set(trace::field::kDaemonChildrenNs, spent.children_ns);
  span.Set(trace::field::kWorkersCpuNs, spent.workers_ns);
}

}  // namespace

void BuildSamples::Take(const Workers& workers, const std::string& ending, int64_t end_ns) {
  const std::vector<Builds::Active> active = builds_.ActiveBuilds();
  std::vector<pid_t> pids;
  for (const Builds::Active& build : active) {
    if (build.pid > 0) pids.push_back(build.pid);
  }
  std::optional<trace::Span> sample;
  std::optional<ProcessCpu::Spent> spent;
  {
    const MutexLock lock(mutex_);
    sample = machine_.Sample();
    spent = processes_.Take(pids, workers.pids);
  }
  if (!sample) return;
  for (const Builds::Active& build : active) {
    trace::Span whole = *sample;
    if (spent) SetShares(*spent, build.pid, whole);
    const int64_t last_ns = build.id == ending ? end_ns : INT64_MAX;
    std::optional<trace::Span> span = CutSample(whole, build.start_ns, last_ns);
    if (!span) continue;
    const trace::Span place = trace::StartSpan(trace::span::kMachine, build.root, 0);
    span->trace_id = place.trace_id;
    span->span_id = place.span_id;
    span->parent_id = place.parent_id;
    span->Set(trace::field::kBuildId, build.id);
    span->Set(trace::field::kJobsRemote, build.counters.remote_running);
    span->Set(trace::field::kJobsLocal, build.counters.local_running);
    span->Set(trace::field::kJobsWaiting, build.counters.local_waiting);
    span->Set(trace::field::kWorkers, workers.all);
    span->Set(trace::field::kWorkersBusy, workers.busy);
    builds_.Record(build.id, {*span});
  }
}

}  // namespace llama::daemon
