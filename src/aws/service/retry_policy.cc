#include "aws/service/retry_policy.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace llama::aws {
namespace {

template <size_t N>
bool IsOneOf(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// Throttles that do not come as 429; the list is that of AWS's SDKs.
constexpr std::array<std::string_view, 13> kThrottles = {"SlowDown",
                                                         "Throttling",
                                                         "ThrottlingException",
                                                         "ThrottledException",
                                                         "RequestThrottled",
                                                         "RequestThrottledException",
                                                         "TooManyRequestsException",
                                                         "RequestLimitExceeded",
                                                         "BandwidthLimitExceeded",
                                                         "LimitExceededException",
                                                         "PriorRequestNotComplete",
                                                         "EC2ThrottledException",
                                                         "ProvisionedThroughputExceededException"};
constexpr std::array<std::string_view, 8> kCredentials = {"ExpiredToken",
                                                          "ExpiredTokenException",
                                                          "InvalidToken",
                                                          "InvalidClientTokenId",
                                                          "UnrecognizedClientException",
                                                          "InvalidAccessKeyId",
                                                          "TokenRefreshRequired",
                                                          "RequestExpired"};
constexpr std::array<std::string_view, 5> kSkews = {"RequestTimeTooSkewed", "RequestInTheFuture",
                                                    "InvalidSignatureException",
                                                    "SignatureDoesNotMatch", "AuthFailure"};
// Failures of the server's or the network's that S3 and others give as 400.
constexpr std::array<std::string_view, 3> kTransient = {"RequestTimeout", "RequestTimeoutException",
                                                        "InternalError"};

}  // namespace

Failure Classify(const HttpAnswer& answer, const ServiceError& error) {
  const int status = answer.status;
  if (status < 400) return Failure::kNone;
  // LimitExceededException of IAM (409) is a quota, which no waiting lifts.
  if (status == 429 || (IsOneOf(error.code, kThrottles) && status != 409)) {
    return Failure::kThrottled;
  }
  if (status >= 500) return status == 501 ? Failure::kNone : Failure::kServer;
  if (status == 408 || IsOneOf(error.code, kTransient)) return Failure::kServer;
  if (IsOneOf(error.code, kCredentials)) return Failure::kCredentials;
  if (IsOneOf(error.code, kSkews)) return Failure::kSkewed;
  return Failure::kNone;
}

Failure Classify(const Error& error) {
  switch (error.code) {
    case Code::kUnavailable:
      return Failure::kConnection;
    case Code::kDeadline:
      return Failure::kTimeout;
    default:
      return Failure::kFinal;
  }
}

int64_t Backoff::NextMs(int retry, int64_t asked_ms) {
  const int64_t doubled = base_ms_ << std::min(retry, 20);
  const int64_t ceiling = std::max<int64_t>(0, std::min(max_ms_, doubled));
  MutexLock lock(mutex_);
  std::uniform_int_distribution<int64_t> uniform(0, ceiling);
  return std::max<int64_t>(0, asked_ms) + uniform(random_);
}

bool RetryBudget::Take(Failure failure) {
  if (failure == Failure::kThrottled) return true;
  const int cost = failure == Failure::kTimeout ? 10 : 5;
  MutexLock lock(mutex_);
  if (tokens_ < cost) return false;
  tokens_ -= cost;
  return true;
}

void RetryBudget::Succeeded() {
  MutexLock lock(mutex_);
  tokens_ = std::min(kCapacity, tokens_ + 1);
}

bool Circuit::Enter(bool& probe) {
  MutexLock lock(mutex_);
  probe = open_;
  if (!open_) return true;
  const int64_t now_ns = clock_.MonotonicNs();
  if (now_ns < next_turn_ns_) return false;
  next_turn_ns_ = now_ns + open_ns_;
  return true;
}

bool Circuit::IsOpen() {
  MutexLock lock(mutex_);
  return open_;
}

void Circuit::Succeeded() {
  MutexLock lock(mutex_);
  in_a_row_ = 0;
  open_ = false;
}

void Circuit::Failed(int weight) {
  MutexLock lock(mutex_);
  in_a_row_ = std::min(in_a_row_ + weight, failures_);
  if (in_a_row_ < failures_) return;
  if (!open_) next_turn_ns_ = clock_.MonotonicNs() + open_ns_;
  open_ = true;
}

}  // namespace llama::aws
