#include "emulator/lambda/events.h"

#include <algorithm>

namespace llama::emulator {
namespace {

constexpr size_t kMaxEvents = 10'000;
constexpr uint64_t kMaxBytes = 256ull << 20;
constexpr int kMaxFailures = 3;
constexpr int64_t kRetryNs = 1'000'000'000;
constexpr int64_t kThrottledNs = 500'000'000;
constexpr int64_t kIdleWaitMs = 1000;

}  // namespace

EventQueue::~EventQueue() {
  Stop();
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    threads = std::move(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void EventQueue::Stop() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyAll();
}

void EventQueue::Put(LambdaEvent event, int64_t due_ns) {
  bytes_ += event.payload.size();
  queue_.emplace(due_ns, std::move(event));
  changed_.NotifyOne();
}

Result<void> EventQueue::Add(LambdaEvent event) {
  const MutexLock lock(mutex_);
  if (stopping_ || queue_.size() >= kMaxEvents || bytes_ + event.payload.size() > kMaxBytes) {
    return Error{Code::kUnavailable, "too many events wait"};
  }
  Put(std::move(event), clock_.MonotonicNs());
  if (idle_ < queue_.size() && threads_.size() < kMaxThreads) {
    threads_.emplace_back([this] { Work1(); });
  }
  return {};
}

void EventQueue::Work1() {
  while (true) {
    LambdaEvent event;
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && (queue_.empty() || queue_.begin()->first > clock_.MonotonicNs())) {
        int64_t wait_ms = kIdleWaitMs;
        if (!queue_.empty()) {
          wait_ms = (queue_.begin()->first - clock_.MonotonicNs()) / 1'000'000 + 1;
        }
        ++idle_;
        changed_.WaitFor(mutex_, std::clamp<int64_t>(wait_ms, 1, kIdleWaitMs));
        --idle_;
      }
      if (stopping_) return;
      event = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
      bytes_ -= event.payload.size();
    }
    const Outcome outcome = work_(event);
    if (outcome == Outcome::kDone) continue;
    const bool throttled = outcome == Outcome::kThrottled;
    if (!throttled && ++event.failures == kMaxFailures) continue;
    const MutexLock lock(mutex_);
    Put(std::move(event), clock_.MonotonicNs() + (throttled ? kThrottledNs : kRetryNs));
  }
}

}  // namespace llama::emulator
