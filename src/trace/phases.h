// Phases: contiguous sibling spans, as one piece of work goes from step to step. Each begins where
// the one before ended, so that together they cover their parent without gap or overlap.
//
// The wall clock is asked once, for when the first began; everything after that is measured on the
// monotonic clock. A clock that is set in mid-job changes nothing, and no phase is negative.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "trace/span.h"

namespace llama::trace {

// Not thread-safe.
class Phases {
 public:
  // The first phase begins at `start_monotonic_ns`, whenever it is announced; that was `start_ns`
  // on the wall clock.
  Phases(const Clock& clock, const Context& parent, int64_t start_ns, int64_t start_monotonic_ns)
      : clock_(clock),
        parent_(parent),
        start_ns_(start_ns),
        start_monotonic_ns_(std::min(start_monotonic_ns, clock.MonotonicNs())),
        boundary_monotonic_ns_(start_monotonic_ns_) {}

  // Ends the phase under way, now, and begins the next. The reference is valid until the next call.
  Span& Begin(std::string_view name) { return BeginAt(name, clock_.MonotonicNs()); }
  // `now_ns`, here and below, is a monotonic time. One before the phase began means its beginning.
  Span& BeginAt(std::string_view name, int64_t now_ns) {
    EndAt(now_ns);
    spans_.push_back(StartSpan(name, parent_, boundary_ns()));
    open_ = true;
    return spans_.back();
  }
  void End() { EndAt(clock_.MonotonicNs()); }
  void EndAt(int64_t now_ns) {
    if (!open_) return;
    boundary_monotonic_ns_ = std::max(now_ns, boundary_monotonic_ns_);
    spans_.back().duration_ns = boundary_ns() - spans_.back().start_ns;
    open_ = false;
  }
  // The same by another process's word, which is not believed beyond what is possible.
  void EndWithin(int64_t told_ns, int64_t latest_ns) { EndAt(std::min(told_ns, latest_ns)); }

  Span& current() { return spans_.back(); }
  // Where the last phase ended, or the one under way began, in the time that the spans are in.
  int64_t boundary_ns() const { return start_ns_ + (boundary_monotonic_ns_ - start_monotonic_ns_); }
  std::vector<Span> Take() { return std::move(spans_); }

 private:
  const Clock& clock_;
  const Context parent_;
  const int64_t start_ns_;
  const int64_t start_monotonic_ns_;
  int64_t boundary_monotonic_ns_;
  bool open_ = false;
  std::vector<Span> spans_;
};

}  // namespace llama::trace
