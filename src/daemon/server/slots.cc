#include "daemon/server/slots.h"

#include <algorithm>

namespace llama::daemon {

void Slots::Request(Id id, int64_t now_ns) {
  if (waiting_.empty()) last_progress_ns_ = now_ns;
  waiting_.push_back(id);
}

void Slots::Release(Id id, int64_t now_ns) {
  if (held_.erase(id) > 0) {
    last_progress_ns_ = now_ns;
    return;
  }
  waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), id), waiting_.end());
}

std::optional<Slots::Id> Slots::Grant(int64_t now_ns) {
  if (waiting_.empty()) return std::nullopt;
  const bool free = held_.size() < static_cast<size_t>(capacity_);
  if (!free && now_ns - last_progress_ns_ < patience_ns_) return std::nullopt;
  const Id id = waiting_.front();
  waiting_.pop_front();
  held_.insert(id);
  last_progress_ns_ = now_ns;
  return id;
}

}  // namespace llama::daemon
