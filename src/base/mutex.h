// Mutex, MutexLock and CondVar with Clang's thread-safety annotations: fields are GUARDED_BY what
// protects them, and clang -Wthread-safety checks it.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <ctime>

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
#define RETURN_CAPABILITY(x) LLAMA_ATTRIBUTE(lock_returned(x))
#define NO_THREAD_SAFETY_ANALYSIS LLAMA_ATTRIBUTE(no_thread_safety_analysis)

namespace llama {

class CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  ~Mutex() { pthread_mutex_destroy(&mutex_); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  void Lock() ACQUIRE() { pthread_mutex_lock(&mutex_); }
  void Unlock() RELEASE() { pthread_mutex_unlock(&mutex_); }

 private:
  friend class CondVar;
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
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

// Its waits are on the monotonic clock: setting the machine's time neither ends nor prolongs one.
// A pthread condition, since std::condition_variable waits on the wall clock or by
// pthread_cond_clockwait, which gcc 12's tsan does not know.
class CondVar {
 public:
  CondVar() {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&condition_, &attributes);
    pthread_condattr_destroy(&attributes);
  }
  ~CondVar() { pthread_cond_destroy(&condition_); }
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  // Waits until notified or `timeout_ms` passed; spurious returns happen, so callers loop.
  void WaitFor(Mutex& mutex, int64_t timeout_ms) REQUIRES(mutex) {
    constexpr int64_t kMsPerSecond = 1000;
    constexpr int64_t kNsPerMs = 1'000'000;
    constexpr int64_t kMaxMs = int64_t{1} << 40;
    timeout_ms = timeout_ms < 0 ? 0 : timeout_ms > kMaxMs ? kMaxMs : timeout_ms;
    timespec end{};
    clock_gettime(CLOCK_MONOTONIC, &end);
    const int64_t ns = end.tv_nsec + timeout_ms % kMsPerSecond * kNsPerMs;
    end.tv_sec += timeout_ms / kMsPerSecond + ns / (kMsPerSecond * kNsPerMs);
    end.tv_nsec = ns % (kMsPerSecond * kNsPerMs);
    pthread_cond_timedwait(&condition_, &mutex.mutex_, &end);
  }
  void Wait(Mutex& mutex) REQUIRES(mutex) { pthread_cond_wait(&condition_, &mutex.mutex_); }
  void NotifyOne() { pthread_cond_signal(&condition_); }
  void NotifyAll() { pthread_cond_broadcast(&condition_); }

 private:
  pthread_cond_t condition_;
};

}  // namespace llama
