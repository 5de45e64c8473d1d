// Retries: requests that failed and were made again, of calls that go over a network, added up.
// What several calls did at once counts once. Thread-safe.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace llama::store {

class Retries {
 public:
  // Requests that failed, one after the other, and the waits after them took [begin, end) of a
  // monotonic clock. One that is not made again is no retry.
  void Add(uint64_t requests, int64_t begin_ns, int64_t end_ns);

  uint64_t requests() const;
  int64_t ns() const;

 private:
  mutable Mutex mutex_;
  uint64_t requests_ GUARDED_BY(mutex_) = 0;
  std::vector<std::pair<int64_t, int64_t>> intervals_ GUARDED_BY(mutex_);
};

}  // namespace llama::store
