// ConcurrencyGate: how many invocations may be in flight, learnt from the service's throttles. A
// 429 says that fewer run at once than were asked for, so the one that got it leaves the gate, and
// what is in flight without it is the new limit: after the first burst over an account's limit the
// rest waits here in order instead of asking again and again. Every success raises the limit by a
// tenth, so that one invocation in about ten finds out whether there is more by now, and throttles
// that have nothing to do with concurrency (fewer than one in ten) do not wear the limit down.
//
// A throttle while nothing of ours runs is not of our making: the function's reserved concurrency
// is 0, or others have the whole account's. When none has succeeded for kAloneMs of that, the gate
// shuts: who waits or comes is told so at once, but for one in kProbeMs that tries. A success opens
// it.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace llama::aws {

class ConcurrencyGate {
 public:
  ConcurrencyGate(int64_t max, const Clock& clock)
      : max_(static_cast<double>(max)), clock_(clock), limit_(static_cast<double>(max)) {}

  static constexpr int64_t kAloneMs = 2'000;
  static constexpr int64_t kProbeMs = 5'000;
  // Throttles further apart than this have nothing to do with each other.
  static constexpr int64_t kApartMs = 15'000;

  // Waits for its turn. kCancelled; kUnavailable: it is shut; kDeadline at `deadline_ns` of the
  // monotonic clock.
  Result<void> Enter(const std::function<bool()>& cancelled, int64_t deadline_ns);
  void Leave(bool success);
  // For one that is in: out, and in again before all others, when there is room. After an error it
  // is out. `reason` is that of Lambda's TooManyRequestsException, or empty.
  Result<void> Throttled(const std::string& reason, const std::function<bool()>& cancelled,
                         int64_t deadline_ns);

  int64_t limit();
  int64_t in_flight();

 private:
  struct Waiter {
    CondVar turn;
    bool admitted = false;
  };
  Result<void> Await(bool first, const std::function<bool()>& cancelled, int64_t deadline_ns)
      REQUIRES(mutex_);
  void AdmitWaiting() REQUIRES(mutex_);
  void NoticeThrottle(int64_t now_ns) REQUIRES(mutex_);
  Error Shut() REQUIRES(mutex_);

  const double max_;
  const Clock& clock_;
  Mutex mutex_;
  double limit_ GUARDED_BY(mutex_);
  int64_t in_flight_ GUARDED_BY(mutex_) = 0;
  std::deque<Waiter*> waiting_ GUARDED_BY(mutex_);
  std::optional<int64_t> alone_since_ns_ GUARDED_BY(mutex_);  // throttled while none of ours ran …
  int64_t alone_last_ns_ GUARDED_BY(mutex_) = 0;              // … up to now
  bool shut_ GUARDED_BY(mutex_) = false;
  int64_t next_probe_ns_ GUARDED_BY(mutex_) = 0;
  std::string reason_ GUARDED_BY(mutex_);  // of the last throttle
};

}  // namespace llama::aws
