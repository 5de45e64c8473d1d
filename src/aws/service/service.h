// Service: one AWS service at one endpoint. Signs, sends, and is the one place where retry policy
// lives: which failures are tried again and how often (full jitter, a budget shared by all calls,
// Retry-After), when credentials are renewed, when the clock's skew is corrected, and when the
// circuit opens. What these are made of is in retry_policy.h. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aws/http/engine.h"
#include "aws/service/credentials.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/retries.h"

namespace llama::aws {

class Uplink;

struct ServiceOptions {
  std::string name;      // for signing: "s3", "lambda", "iam", "sts", "logs"
  std::string region;    // for signing
  std::string endpoint;  // "https://s3.eu-west-1.amazonaws.com", no slash at the end
  int max_attempts = 4;
  int64_t base_delay_ms = 50;       // full jitter: uniform in [0, min(max, base × 2^n)]
  int64_t max_delay_ms = 5'000;     // whom a Retry-After asks for more is not tried again
  int breaker_failures = 8;         // so many attempts in a row that failed open the circuit
  int64_t breaker_open_ms = 5'000;  // then one call in that time is let through, to try
  bool anonymous = false;
  Uplink* uplink = nullptr;  // shared by the services of a process; bodies above 64 KiB wait for it
  uint64_t jitter_seed = 0;  // 0: random
  // Waits between attempts; tests pass one that moves their clock. Empty: sleeps.
  std::function<void(int64_t ms)> pause;
};

struct ServiceCall {
  std::string method = "GET";
  std::string host_prefix;  // "bucket." for virtual-host style; empty: none
  std::string target;       // path and query, percent-encoded
  Headers headers;
  std::string_view body;
  std::string payload_sha256;  // of the body if it is known already; otherwise it is computed
  // Whether doing it twice is as good as once. One that is not is tried again only when it surely
  // was not begun (no connection, 429, 503 SlowDown and their kind).
  bool idempotent = true;
  // `total_ms` is for the whole call, attempts and waiting together; the others are each attempt's.
  HttpDeadlines deadlines;
  // What attempts that fail and the waits after them may take, throttles apart: beyond it the last
  // failure is the call's. For a call whose whole may be long only because its answer may.
  int64_t max_failing_ms = INT64_MAX / 2'000'000;
  uint64_t max_answer_bytes = 64ull << 20;
  std::function<bool()> cancelled;                  // see HttpRequest
  std::function<void(uint64_t bytes)> on_progress;  // see HttpRequest; of the attempt under way
  // For each answer that was a throttle, before the wait; on the caller's thread. It may wait for
  // a better time; an error ends the call. With it a throttled call is tried again for as long as
  // its deadline allows. `reason` is the answer's own word for it, mostly empty (ServiceError).
  std::function<Result<void>(const std::string& reason)> on_throttled;
  store::Retries* retries = nullptr;  // gets all other attempts that failed and were made again
};

struct ServiceAnswer {
  HttpAnswer http;  // of the last attempt
  int attempts = 1;
  int64_t waited_ns = 0;  // after attempts that on_throttled was told of, and for the uplink
};

class Service {
 public:
  virtual ~Service() = default;
  // Any status below 500 but 429 and expired credentials is an answer, for the caller to judge; so
  // is 501, which stays the same however often it is asked for.
  // kUnavailable: given up after retries, or the circuit is open; the message says the last cause.
  // kDeadline, kCancelled; kInvalid: no valid credentials, or what Send says.
  virtual Result<ServiceAnswer> Call(const ServiceCall& call) = 0;
  // While the circuit is open: the failure that opened it or came last. Empty while it is closed.
  virtual std::string Outage() { return {}; }
  // Monotonic: when an answer of whatever kind came last, 0 for never; and how many attempts since
  // ended without one. Together: whether anybody is there.
  virtual int64_t last_answer_ns() const { return 0; }
  virtual int unanswered() const { return 0; }
  virtual const ServiceOptions& options() const = 0;
};

// All must outlive the service. Services of one process share one `sender`.
std::unique_ptr<Service> NewService(const ServiceOptions& options, HttpSender& sender,
                                    CredentialsProvider& credentials, const Clock& clock);

}  // namespace llama::aws
