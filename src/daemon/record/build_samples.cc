#include "daemon/record/build_samples.h"

#include <algorithm>
#include <vector>

#include "trace/names.h"

namespace llama::daemon {

void BuildSamples::Tick(const Workers& workers) {
  if (!builds_.ActiveBuilds().empty()) Take(workers, {}, 0);
}

void BuildSamples::Take(const Workers& workers, const std::string& ending, int64_t end_ns) {
  std::optional<trace::Span> sample;
  {
    const MutexLock lock(mutex_);
    sample = machine_.Sample();
  }
  if (!sample) return;
  for (const Builds::Active& build : builds_.ActiveBuilds()) {
    const int64_t last_ns = build.id == ending ? end_ns : INT64_MAX;
    std::optional<trace::Span> span = CutSample(*sample, build.start_ns, last_ns);
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
