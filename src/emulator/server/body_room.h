// Room for large bodies, which are held in memory while they come: all connections share it, so
// that many clients with large bodies wait for each other instead of filling the machine.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>

#include "base/mutex.h"

namespace llama::emulator {

class BodyRoom {
 public:
  explicit BodyRoom(uint64_t bytes) : free_bytes_(bytes), all_bytes_(bytes) {}

  // Given back when it goes out of scope.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept;
    Share& operator=(Share&& other) noexcept;
    ~Share();

   private:
    friend class BodyRoom;
    Share(BodyRoom* room, uint64_t bytes) : room_(room), bytes_(bytes) {}
    BodyRoom* room_ = nullptr;
    uint64_t bytes_ = 0;
  };

  // Waits for as long as `wanted` holds (asked about every 50 ms); false: it does no longer, and
  // `share` is as it was. More than there is at all counts as all.
  bool Take(uint64_t bytes, const std::function<bool()>& wanted, Share& share);

 private:
  void GiveBack(uint64_t bytes);

  Mutex mutex_;
  CondVar freed_;
  uint64_t free_bytes_ GUARDED_BY(mutex_);
  const uint64_t all_bytes_;
};

}  // namespace llama::emulator
