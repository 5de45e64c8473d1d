// Mutex, MutexLock and CondVar with Clang's thread-safety annotations: fields are GUARDED_BY what
// protects them, and clang -Wthread-safety checks it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#if defined(__clang__)
#define LLAMA_ATTRIBUTE(x) __attribute__((x))
#else
#define LLAMA_ATTRIBUTE(x)
#endif
#define CAPABILITY(x) LLAMA_ATTRIBUTE(capability(x))
#define SCOPED_CAPABILITY LLAMA_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(x) LLAMA_ATTRIBUTE(guarded_by(x))
#define REQUIRES(...) LLAMA_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) LLAMA_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) LLAMA_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) LLAMA_ATTRIBUTE(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS LLAMA_ATTRIBUTE(no_thread_safety_analysis)

namespace llama {

class CAPABILITY("mutex") Mutex {
 public:
  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // Waits until notified or `timeout_ms` passed; spurious returns happen, so callers loop.
  // steady_clock::wait_until is pthread_cond_clockwait, which gcc 12's tsan does not know; the
  // short system-clock wait is one it does.
  void WaitFor(Mutex& mutex, int64_t timeout_ms) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cv_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
    lock.release();
  }
  void Wait(Mutex& mutex) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace llama
