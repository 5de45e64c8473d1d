// Phases: the contiguous child spans of one compile. Each begins where the one before ended, so
// that together they cover their parent without gap or overlap.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "trace/span.h"

namespace llama::daemon {

class Phases {
 public:
  Phases(const Clock& clock, trace::Context parent, int64_t start_ns)
      : clock_(clock), parent_(parent), boundary_ns_(start_ns) {}

  // Ends the phase under way, now, and begins the next. The reference is valid until the next call.
  trace::Span& Begin(std::string_view name) { return BeginAt(name, clock_.NowNs()); }
  // A first phase begins at the start, whenever it is announced.
  trace::Span& BeginAt(std::string_view name, int64_t now_ns) {
    EndAt(now_ns);
    spans_.push_back(trace::StartSpan(name, parent_, boundary_ns_));
    open_ = true;
    return spans_.back();
  }
  void EndAt(int64_t now_ns) {
    if (!open_) return;
    // The wall clock may be set back between two looks at it; no phase is negative.
    if (now_ns < boundary_ns_) now_ns = boundary_ns_;
    spans_.back().duration_ns = now_ns - spans_.back().start_ns;
    boundary_ns_ = now_ns;
    open_ = false;
  }
  trace::Span& current() { return spans_.back(); }
  int64_t boundary_ns() const { return boundary_ns_; }

  std::vector<trace::Span>& spans() { return spans_; }

 private:
  const Clock& clock_;
  trace::Context parent_;
  int64_t boundary_ns_;
  bool open_ = false;
  std::vector<trace::Span> spans_;
};

}  // namespace llama::daemon
