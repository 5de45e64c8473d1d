#include "aws/lambda/concurrency_gate.h"

#include <algorithm>

namespace llama::aws {
namespace {

constexpr int64_t kPollMs = 200;
constexpr double kRaise = 0.1;

}  // namespace

Result<void> ConcurrencyGate::Enter(const std::function<bool()>& cancelled, int64_t deadline_ns) {
  MutexLock lock(mutex_);
  return Await(false, cancelled, deadline_ns);
}

void ConcurrencyGate::Leave(bool success) {
  MutexLock lock(mutex_);
  --in_flight_;
  if (success) limit_ = std::min(max_, limit_ + kRaise);
  AdmitWaiting();
}

Result<void> ConcurrencyGate::Throttled(const std::function<bool()>& cancelled,
                                        int64_t deadline_ns) {
  MutexLock lock(mutex_);
  --in_flight_;
  limit_ = std::clamp(static_cast<double>(in_flight_), 1.0, limit_);
  return Await(true, cancelled, deadline_ns);
}

void ConcurrencyGate::AdmitWaiting() {
  while (!waiting_.empty() && static_cast<double>(in_flight_ + 1) <= limit_) {
    Waiter* next = waiting_.front();
    waiting_.pop_front();
    ++in_flight_;
    next->admitted = true;
    next->turn.NotifyOne();
  }
}

Result<void> ConcurrencyGate::Await(bool first, const std::function<bool()>& cancelled,
                                    int64_t deadline_ns) {
  Waiter me;
  waiting_.insert(first ? waiting_.begin() : waiting_.end(), &me);
  AdmitWaiting();
  while (!me.admitted) {
    std::optional<Error> end;
    if (cancelled && cancelled()) end = Error{Code::kCancelled, "cancelled"};
    if (clock_.MonotonicNs() >= deadline_ns) {
      end = Error{Code::kDeadline, "no invocation came free in time"};
    }
    if (end) {
      waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &me));
      return *std::move(end);
    }
    me.turn.WaitFor(mutex_, kPollMs);
  }
  return {};
}

int64_t ConcurrencyGate::limit() {
  MutexLock lock(mutex_);
  return static_cast<int64_t>(limit_);
}

int64_t ConcurrencyGate::in_flight() {
  MutexLock lock(mutex_);
  return in_flight_;
}

}  // namespace llama::aws
