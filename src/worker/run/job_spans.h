// JobSpans: the spans of one job, its phases below one `worker` span. Names and fields are a stable
// vocabulary (docs/trace_format.md).
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "trace/names.h"
#include "trace/phases.h"
#include "trace/span.h"

namespace llama::worker {

class JobSpans {
 public:
  // `start_monotonic_ns`: when the job began to arrive, before its parent was known.
  JobSpans(const Clock& clock, const trace::Context& parent, std::string_view first,
           int64_t start_monotonic_ns)
      : worker_(trace::StartSpan(trace::span::kWorker, parent,
                                 clock.NowNs() - (clock.MonotonicNs() - start_monotonic_ns))),
        phases_(clock, worker_.context(), worker_.start_ns, start_monotonic_ns) {
    phases_.Begin(first);
  }

  void Begin(std::string_view name) { phases_.Begin(name); }

  trace::Span& worker() { return worker_; }
  trace::Span& current() { return phases_.current(); }

  // Ends everything; the worker's own span comes first.
  std::vector<trace::Span> Finish() && {
    phases_.End();
    worker_.duration_ns = phases_.boundary_ns() - worker_.start_ns;
    std::vector<trace::Span> spans = phases_.Take();
    spans.insert(spans.begin(), std::move(worker_));
    return spans;
  }

 private:
  trace::Span worker_;
  trace::Phases phases_;
};

}  // namespace llama::worker
