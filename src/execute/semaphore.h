// A counting semaphore whose waiters can be cancelled: holds CPU-bound steps to the core count.
#pragma once

#include <functional>

#include "base/mutex.h"

namespace llama::execute {

class Semaphore {
 public:
  explicit Semaphore(int count) : free_(count) {}

  // Held from construction to destruction, unless `cancelled` turned true while waiting.
  class Hold {
   public:
    Hold(Semaphore& semaphore, const std::function<bool()>& cancelled)
        : semaphore_(semaphore), held_(semaphore.Acquire(cancelled)) {}
    ~Hold() {
      if (held_) semaphore_.Release();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    bool held() const { return held_; }

   private:
    Semaphore& semaphore_;
    bool held_;
  };

 private:
  bool Acquire(const std::function<bool()>& cancelled) {
    const MutexLock lock(mutex_);
    while (free_ == 0) {
      if (cancelled && cancelled()) return false;
      freed_.WaitFor(mutex_, kPollMs);
    }
    --free_;
    return true;
  }
  void Release() {
    {
      const MutexLock lock(mutex_);
      ++free_;
    }
    freed_.NotifyOne();
  }

  static constexpr int kPollMs = 250;
  Mutex mutex_;
  CondVar freed_;
  int free_ GUARDED_BY(mutex_);
};

}  // namespace llama::execute
