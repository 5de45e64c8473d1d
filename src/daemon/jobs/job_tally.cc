#include "daemon/jobs/job_tally.h"

namespace llama::daemon {

void JobTally::Count(std::string_view outcome, std::string_view reason) {
  std::pair key(std::string(outcome), std::string(reason.substr(0, reason.find(':'))));
  const MutexLock lock(mutex_);
  if (ended_.size() >= kMaxReasons && !ended_.contains(key)) key.second = "other";
  ++ended_[std::move(key)];
}

void JobTally::AddRemoteCpu(int64_t user_ns, int64_t system_ns) {
  const MutexLock lock(mutex_);
  remote_user_ns_ += user_ns;
  remote_system_ns_ += system_ns;
}

void JobTally::Fill(Metrics& metrics) const {
  const MutexLock lock(mutex_);
  for (const auto& [key, count] : ended_) metrics.ended.push_back({key.first, key.second, count});
  metrics.remote_user_ns = remote_user_ns_;
  metrics.remote_system_ns = remote_system_ns_;
}

}  // namespace llama::daemon
