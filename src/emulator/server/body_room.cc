#include "emulator/server/body_room.h"

#include <algorithm>
#include <utility>

namespace llama::emulator {

BodyRoom::Share::Share(Share&& other) noexcept
    : room_(std::exchange(other.room_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

BodyRoom::Share& BodyRoom::Share::operator=(Share&& other) noexcept {
  // What this one held goes with `old`.
  const Share old(std::move(*this));
  room_ = std::exchange(other.room_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

BodyRoom::Share::~Share() {
  if (room_ != nullptr) room_->GiveBack(bytes_);
}

bool BodyRoom::Take(uint64_t bytes, const std::function<bool()>& wanted, Share& share) {
  bytes = std::min(bytes, all_bytes_);
  {
    const MutexLock lock(mutex_);
    while (free_bytes_ < bytes) {
      freed_.WaitFor(mutex_, 50);
      if (free_bytes_ < bytes && !wanted()) return false;
    }
    free_bytes_ -= bytes;
  }
  share = Share(this, bytes);
  return true;
}

void BodyRoom::GiveBack(uint64_t bytes) {
  const MutexLock lock(mutex_);
  free_bytes_ += bytes;
  freed_.NotifyAll();
}

}  // namespace llama::emulator
