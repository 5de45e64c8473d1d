#include "daemon/server/job_threads.h"

#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace llama::daemon {

JobThreads::~JobThreads() {
  std::vector<pthread_t> threads;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    threads = threads_;
    posted_.NotifyAll();
  }
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
}

bool JobThreads::Post(Task task) {
  const MutexLock lock(mutex_);
  const bool all_taken = resting_ <= tasks_.size();
  if (all_taken && threads_.size() < static_cast<size_t>(max_threads_) && !AddThread() &&
      threads_.empty()) {
    return false;
  }
  tasks_.push_back(std::move(task));
  posted_.NotifyOne();
  return true;
}

bool JobThreads::AwaitIdle(int64_t timeout_ms) {
  const int64_t end_ns = SystemClock().MonotonicNs() + timeout_ms * 1'000'000;
  const MutexLock lock(mutex_);
  while (running_ > 0 || !tasks_.empty()) {
    const int64_t left_ms = (end_ns - SystemClock().MonotonicNs()) / 1'000'000;
    if (left_ms <= 0) return false;
    idle_.WaitFor(mutex_, left_ms);
  }
  return true;
}

size_t JobThreads::pending() const {
  const MutexLock lock(mutex_);
  return running_ + tasks_.size();
}

bool JobThreads::AddThread() {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread{};
  const int failed = pthread_create(&thread, &attributes, Entry, this);
  pthread_attr_destroy(&attributes);
  if (failed != 0) {
    LOG(kWarning, "no more threads than " + std::to_string(threads_.size()));
    return false;
  }
  threads_.push_back(thread);
  return true;
}

void* JobThreads::Entry(void* self) {
  static_cast<JobThreads*>(self)->Work();
  return nullptr;
}

void JobThreads::Work() {
  while (true) {
    Task task;
    {
      const MutexLock lock(mutex_);
      ++resting_;
      while (tasks_.empty() && !stopping_) posted_.Wait(mutex_);
      --resting_;
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      ++running_;
    }
    task();
    // What the task holds goes before it counts as ended.
    task = nullptr;
    const MutexLock lock(mutex_);
    --running_;
    if (running_ == 0 && tasks_.empty()) idle_.NotifyAll();
  }
}

}  // namespace llama::daemon
