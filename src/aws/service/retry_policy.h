// The parts that the retry policy of a Service is made of: what kind of failure an attempt's end
// is, how long to wait before the next, how many retries a process may make, and the circuit that
// opens when an endpoint is down. docs/aws.md, "Retries", is this for users.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "aws/http/engine.h"
#include "aws/service/service_error.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace llama::aws {

enum class Failure : unsigned char {
  kNone,         // an answer for the caller to judge
  kThrottled,    // surely not begun; there is more capacity later
  kCredentials,  // expired or unknown
  kSkewed,       // our clock and theirs differ
  kServer,       // 5xx and what counts as one: may have been begun
  kConnection,   // no answer: reset, cut short, no connection
  kTimeout,      // a limit of ours
  kFinal,        // trying again gives the same
};

// Of an answer. `error` is what ReadServiceError gives for it.
Failure Classify(const HttpAnswer& answer, const ServiceError& error);
// Of an attempt without an answer.
Failure Classify(const Error& error);

// Full jitter: uniform in [0, min(max_ms, base_ms × 2^retry)], `retry` counting from 0; a delay
// that the service asked for is the least, with jitter on top of it, so that those who were told
// the same do not come back together. Thread-safe.
class Backoff {
 public:
  Backoff(int64_t base_ms, int64_t max_ms, uint64_t seed)
      : base_ms_(base_ms), max_ms_(max_ms), random_(seed) {}
  int64_t NextMs(int retry, int64_t asked_ms);

 private:
  const int64_t base_ms_;
  const int64_t max_ms_;
  Mutex mutex_;
  std::mt19937_64 random_ GUARDED_BY(mutex_);
};

// How many retries all calls together may make: a bucket of 500 tokens, of which a retry takes 5
// (after a timeout 10) and to which every call that succeeds gives 1: the figures of AWS's SDKs.
// While one call in ten fails it never empties; when all fail it ends the retries after 100, so
// that an endpoint in trouble is not hit by four times its load. Throttled retries are free of it,
// as the service asks for them. Thread-safe.
class RetryBudget {
 public:
  bool Take(Failure failure);
  void Succeeded();

 private:
  static constexpr int kCapacity = 500;
  Mutex mutex_;
  int tokens_ GUARDED_BY(mutex_) = kCapacity;
};

// Closed: calls pass. After `failures` attempts in a row that failed it opens: none passes
// but one in `open_ms`, the probe. A call that succeeds closes it. An attempt that cost seconds, or
// that was answered by what is no such service, counts for several. Thread-safe.
class Circuit {
 public:
  Circuit(int failures, int64_t open_ms, const Clock& clock)
      : failures_(failures), open_ns_(open_ms * 1'000'000), clock_(clock) {}

  // True: the call passes. `probe` is whether it is the one that tries.
  bool Enter(bool& probe);
  bool IsOpen();
  void Succeeded();
  void Failed(int weight = 1);

 private:
  const int failures_;
  const int64_t open_ns_;
  const Clock& clock_;
  Mutex mutex_;
  int in_a_row_ GUARDED_BY(mutex_) = 0;
  bool open_ GUARDED_BY(mutex_) = false;
  int64_t next_turn_ns_ GUARDED_BY(mutex_) = 0;
};

}  // namespace llama::aws
