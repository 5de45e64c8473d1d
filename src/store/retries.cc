#include "store/retries.h"

#include <algorithm>

namespace llama::store {

void Retries::Add(uint64_t requests, int64_t begin_ns, int64_t end_ns) {
  const MutexLock lock(mutex_);
  requests_ += requests;
  intervals_.emplace_back(begin_ns, end_ns);
}

uint64_t Retries::requests() const {
  const MutexLock lock(mutex_);
  return requests_;
}

int64_t Retries::ns() const {
  std::vector<std::pair<int64_t, int64_t>> intervals;
  {
    const MutexLock lock(mutex_);
    intervals = intervals_;
  }
  std::sort(intervals.begin(), intervals.end());
  int64_t ns = 0;
  int64_t until_ns = INT64_MIN;
  for (const auto& [begin_ns, end_ns] : intervals) {
    const int64_t from_ns = std::max(begin_ns, until_ns);
    if (end_ns > from_ns) ns += end_ns - from_ns;
    until_ns = std::max(until_ns, end_ns);
  }
  return ns;
}

}  // namespace llama::store
