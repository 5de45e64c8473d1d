// Phases: the spans of one job, one after another without a gap, below one `worker` span. Names and
// fields are a stable vocabulary (docs/trace_format.md).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "trace/span.h"

namespace llama::worker {

class Phases {
 public:
  // `start_ns`: when the job began to arrive, before its parent was known.
  Phases(const Clock& clock, const trace::Context& parent, std::string_view first, int64_t start_ns)
      : clock_(clock), worker_(trace::StartSpan("worker", parent, start_ns)) {
    Start(first, start_ns);
  }

  // Ends the running phase and starts the next at the same instant.
  void Begin(std::string_view name) { Start(name, End()); }

  trace::Span& worker() { return worker_; }
  trace::Span& current() { return phases_.back(); }

  // Ends everything; the worker's own span comes first.
  std::vector<trace::Span> Finish() && {
    worker_.duration_ns = End() - worker_.start_ns;
    phases_.insert(phases_.begin(), std::move(worker_));
    return std::move(phases_);
  }

 private:
  void Start(std::string_view name, int64_t now_ns) {
    phases_.push_back(trace::StartSpan(name, worker_.context(), now_ns));
  }
  int64_t End() {
    trace::Span& phase = phases_.back();
    // The wall clock may be set back; a duration never is negative.
    const int64_t now_ns = std::max(clock_.NowNs(), phase.start_ns);
    phase.duration_ns = now_ns - phase.start_ns;
    return now_ns;
  }

  const Clock& clock_;
  trace::Span worker_;
  std::vector<trace::Span> phases_;
};

}  // namespace llama::worker
