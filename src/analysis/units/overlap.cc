#include "analysis/units/overlap.h"

#include <algorithm>

namespace llama::analysis {

void Overlap::Reserve(size_t intervals) {
  begins_.reserve(intervals);
  ends_.reserve(intervals);
}

void Overlap::Add(int64_t begin_ns, int64_t end_ns) {
  begin_ns = std::max(begin_ns, start_ns_);
  end_ns = std::min(end_ns, end_ns_);
  if (begin_ns >= end_ns) return;
  begins_.push_back(begin_ns);
  ends_.push_back(end_ns);
}

OverlapTimes Overlap::Measure() {
  std::sort(begins_.begin(), begins_.end());
  std::sort(ends_.begin(), ends_.end());
  OverlapTimes out;
  uint64_t now = 0;
  double sum_ns = 0;
  int64_t last_ns = start_ns_;
  size_t begun = 0;
  for (size_t ended = 0; ended < ends_.size();) {
    const bool ends = begun == begins_.size() || ends_[ended] <= begins_[begun];
    const int64_t time_ns = ends ? ends_[ended] : begins_[begun];
    if (now >= 1) out.one_ns += time_ns - last_ns;
    if (now >= 2) out.two_ns += time_ns - last_ns;
    sum_ns += static_cast<double>(now) * static_cast<double>(time_ns - last_ns);
    last_ns = time_ns;
    if (ends) {
      --now;
      ++ended;
    } else {
      out.most = std::max(out.most, ++now);
      ++begun;
    }
  }
  if (end_ns_ > start_ns_) out.mean = sum_ns / static_cast<double>(end_ns_ - start_ns_);
  return out;
}

}  // namespace llama::analysis
