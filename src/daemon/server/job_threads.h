// A bounded set of threads that run tasks in the order in which they were posted, at most
// `max_threads` at a time. Threads are made on demand and kept: a child process that asked to die
// with its parent dies with the *thread* that started it. Thread-safe.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/mutex.h"

namespace llama::daemon {

class JobThreads {
 public:
  using Task = std::function<void()>;

  // Straight-line code with its buffers on the heap; a thousand of these are 1 GB of addresses, of
  // which a few pages each are ever touched.
  static constexpr size_t kStackBytes = size_t{1} << 20;

  explicit JobThreads(int max_threads) : max_threads_(max_threads) {}
  // Waits for the tasks, posted ones included.
  ~JobThreads();
  JobThreads(const JobThreads&) = delete;
  JobThreads& operator=(const JobThreads&) = delete;

  // False, and the task is dropped, if there is no thread and none can be made.
  bool Post(Task task);
  // True as soon as no task runs or waits; false after `timeout_ms`.
  bool AwaitIdle(int64_t timeout_ms);
  size_t pending() const;  // running and waiting

 private:
  static void* Entry(void* self);
  void Work();
  bool AddThread() REQUIRES(mutex_);

  const int max_threads_;
  mutable Mutex mutex_;
  CondVar posted_;
  CondVar idle_;
  std::deque<Task> tasks_ GUARDED_BY(mutex_);
  std::vector<pthread_t> threads_ GUARDED_BY(mutex_);
  size_t running_ GUARDED_BY(mutex_) = 0;
  size_t resting_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace llama::daemon
