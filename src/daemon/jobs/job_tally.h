// JobTally: how the jobs of the daemon's life have ended, counted for its metrics
// (daemon/server/metrics.h). Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "daemon/server/metrics.h"

namespace llama::daemon {

class JobTally {
 public:
  // `reason` is a word of docs/trace_format.md's; of one that names an option (`word:-option`) the
  // word counts, and beyond kMaxReasons different ones "other": a label has few values.
  void Count(std::string_view outcome, std::string_view reason);
  // Of a command in the function, ≥ 0.
  void AddRemoteCpu(int64_t user_ns, int64_t system_ns);

  void Fill(Metrics& metrics) const;

  static constexpr size_t kMaxReasons = 100;

 private:
  mutable Mutex mutex_;
  std::map<std::pair<std::string, std::string>, uint64_t> ended_ GUARDED_BY(mutex_);
  int64_t remote_user_ns_ GUARDED_BY(mutex_) = 0;
  int64_t remote_system_ns_ GUARDED_BY(mutex_) = 0;
};

}  // namespace llama::daemon
