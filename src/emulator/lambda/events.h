// Asynchronous invocations: a bounded queue and the threads that work it off. What is throttled
// comes again a little later, what fails twice more, as Lambda has it (with a second where Lambda
// waits for minutes). Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace llama::emulator {

struct LambdaEvent {
  std::string function;
  std::string qualifier;
  std::string id;
  std::string trace_id;
  std::string client_context;
  std::string payload;
  int failures = 0;
};

class EventQueue {
 public:
  enum class Outcome : unsigned char { kDone, kThrottled, kFailed };
  using Work = std::function<Outcome(const LambdaEvent&)>;

  // `work` is called by up to kMaxThreads threads at once.
  EventQueue(Work work, const Clock& clock) : work_(std::move(work)), clock_(clock) {}
  // Drops what waits and joins; what `work` does must end by itself.
  ~EventQueue();

  // kUnavailable: too many wait already.
  Result<void> Add(LambdaEvent event) EXCLUDES(mutex_);
  void Stop() EXCLUDES(mutex_);

  static constexpr size_t kMaxThreads = 32;

 private:
  void Work1() EXCLUDES(mutex_);
  void Put(LambdaEvent event, int64_t due_ns) REQUIRES(mutex_);

  const Work work_;
  const Clock& clock_;
  Mutex mutex_;
  CondVar changed_;
  std::multimap<int64_t, LambdaEvent> queue_ GUARDED_BY(mutex_);  // by when it is due
  uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  size_t idle_ GUARDED_BY(mutex_) = 0;
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace llama::emulator
