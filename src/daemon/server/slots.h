// Admission of what runs on this machine's own cores: links, preprocessing, whatever a job falls
// back to. First come, first served. No threads of its own and no locks: the server's loop owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_set>

namespace llama::daemon {

class Slots {
 public:
  using Id = uint64_t;

  // When all slots are held and none was freed or granted for `patience_ns`, one more is granted:
  // the holders may be waiting for those who wait (`cc -E a.c | cc -x c -` on one slot).
  Slots(int capacity, int64_t patience_ns) : capacity_(capacity), patience_ns_(patience_ns) {}

  // Joins the queue. An id is in it once.
  void Request(Id id, int64_t now_ns);
  // Gives a slot back, or leaves the queue.
  void Release(Id id, int64_t now_ns);
  // Who comes next, now holding a slot; nothing if all must wait.
  std::optional<Id> Grant(int64_t now_ns);

  int capacity() const { return capacity_; }
  size_t held() const { return held_.size(); }
  size_t waiting() const { return waiting_.size(); }

 private:
  const int capacity_;
  const int64_t patience_ns_;
  std::deque<Id> waiting_;
  std::unordered_set<Id> held_;
  int64_t last_progress_ns_ = 0;
};

}  // namespace llama::daemon
