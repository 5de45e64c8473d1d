#include "aws/lambda/concurrency_gate.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace llama::aws {
namespace {

constexpr int64_t kPollMs = 200;
constexpr double kRaise = 0.1;

// Reasons of TooManyRequestsException, with what they mean where none of ours runs and what to do:
// docs.aws.amazon.com/lambda/latest/api/API_Invoke.html.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kReasons = {{
    {"ReservedFunctionConcurrentInvocationLimitExceeded",
     "its reserved concurrency is 0, or other clients use all of it ('aws lambda "
     "delete-function-concurrency' takes the limit away)"},
    {"ReservedFunctionInvocationRateLimitExceeded",
     "its reserved concurrency is 0 ('aws lambda delete-function-concurrency' takes it away)"},
    {"ConcurrentInvocationLimitExceeded",
     "other functions use all of the account's concurrency (Service Quotas raises it)"},
    {"FunctionInvocationRateLimitExceeded",
     "others invoke it as often as the account may (Service Quotas raises it)"},
    {"CallerRateLimitExceeded", "others invoke functions as often as the account may"},
}};

}  // namespace

Result<void> ConcurrencyGate::Enter(const std::function<bool()>& cancelled, int64_t deadline_ns) {
  MutexLock lock(mutex_);
  if (shut_) {
    const int64_t now_ns = clock_.MonotonicNs();
    if (now_ns < next_probe_ns_) return Shut();
    next_probe_ns_ = now_ns + kProbeMs * 1'000'000;
    ++in_flight_;
    return {};
  }
  return Await(false, cancelled, deadline_ns);
}

Error ConcurrencyGate::Shut() {
  std::string why = "its reserved concurrency is 0, or others use all that the account has";
  for (const auto& [reason, text] : kReasons) {
    if (reason_ == reason) why = text;
  }
  return {Code::kUnavailable, "throttled though none of ours runs: " + why};
}

void ConcurrencyGate::NoticeThrottle(int64_t now_ns) {
  if (in_flight_ > 0 || shut_) return;
  if (!alone_since_ns_ || now_ns - alone_last_ns_ > kApartMs * 1'000'000) alone_since_ns_ = now_ns;
  alone_last_ns_ = now_ns;
  if (now_ns - *alone_since_ns_ < kAloneMs * 1'000'000) return;
  shut_ = true;
  next_probe_ns_ = now_ns + kProbeMs * 1'000'000;
  for (Waiter* waiter : waiting_) waiter->turn.NotifyOne();
}

void ConcurrencyGate::Leave(bool success) {
  MutexLock lock(mutex_);
  --in_flight_;
  if (success) {
    limit_ = std::min(max_, limit_ + kRaise);
    alone_since_ns_.reset();
    shut_ = false;
  }
  AdmitWaiting();
}

Result<void> ConcurrencyGate::Throttled(const std::string& reason,
                                        const std::function<bool()>& cancelled,
                                        int64_t deadline_ns) {
  MutexLock lock(mutex_);
  reason_ = reason;
  --in_flight_;
  limit_ = std::clamp(static_cast<double>(in_flight_), 1.0, limit_);
  NoticeThrottle(clock_.MonotonicNs());
  if (shut_) return Shut();
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
    if (shut_) end = Shut();
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
