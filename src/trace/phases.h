// Phases: contiguous sibling spans, as one piece of work goes from step to step. Each begins where
// the one before ended, so that together they cover their parent without gap or overlap.
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
  // The first phase begins at `start_ns`, whenever it is announced.
  Phases(const Clock& clock, const Context& parent, int64_t start_ns)
      : clock_(clock), parent_(parent), boundary_ns_(start_ns) {}

  // Ends the phase under way, now, and begins the next. The reference is valid until the next call.
  Span& Begin(std::string_view name) { return BeginAt(name, clock_.NowNs()); }
  Span& BeginAt(std::string_view name, int64_t now_ns) {
    EndAt(now_ns);
    spans_.push_back(StartSpan(name, parent_, boundary_ns_));
    open_ = true;
    return spans_.back();
  }
  void End() { EndAt(clock_.NowNs()); }
  void EndAt(int64_t now_ns) {
    if (!open_) return;
    // The wall clock may be set back between two looks at it; no phase is negative.
    boundary_ns_ = std::max(now_ns, boundary_ns_);
    spans_.back().duration_ns = boundary_ns_ - spans_.back().start_ns;
    open_ = false;
  }

  Span& current() { return spans_.back(); }
  // Where the last phase ended, or the one under way began.
  int64_t boundary_ns() const { return boundary_ns_; }
  std::vector<Span> Take() { return std::move(spans_); }

 private:
  const Clock& clock_;
  Context parent_;
  int64_t boundary_ns_;
  bool open_ = false;
  std::vector<Span> spans_;
};

}  // namespace llama::trace
