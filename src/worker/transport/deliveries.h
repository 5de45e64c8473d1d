// Deliveries: how a job comes out of an invocation's payload and its answer gets into the answer:
// bare, as in the local pool, or in envelopes (job/envelope.h), themselves or by an object of the
// store. Answers pings. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "job/envelope.h"
#include "job/store_url.h"
#include "signing/sigv4.h"
#include "worker/transport/job_store.h"
#include "worker/transport/s3_objects.h"

namespace llama::worker {

// What a worker knows of the function that it is, from its environment.
struct FunctionFacts {
  std::string version;  // of llama
  std::string build;
  std::string dir;          // that it writes to
  std::string region;       // AWS_REGION
  std::string fixed_store;  // LLAMA_STORE; empty: whatever an envelope says
  signing::Keys keys;       // of the function's role; no id: none
  int64_t memory_mb = 0;    // AWS_LAMBDA_FUNCTION_MEMORY_SIZE
  std::vector<std::string> ca_files;
};

struct DeliveryLimits {
  uint64_t bare_answer_bytes = 0;  // what the transport takes of a bare answer
  int64_t deadline_ns = 0;         // Clock::MonotonicNs, of the invocation; 0: none
};

class Deliveries {
 public:
  // Runs the encoded job; the encoded answer has at most `max_bytes`.
  using Run = std::function<Result<std::string>(std::string_view job, uint64_t max_bytes)>;

  // `runtime` is the store for bare jobs, `store` the one that `run` works with; they, and the
  // clock, must outlive this. `stop_fd` as in S3Objects.
  Deliveries(FunctionFacts facts, store::ObjectStore& runtime, JobStore& store, const Clock& clock,
             int stop_fd)
      : facts_(std::move(facts)),
        runtime_(runtime),
        store_(store),
        clock_(clock),
        stop_fd_(stop_fd) {}

  // The invocation's answer to `payload`. An error if it is no job, or a job or an answer doesn't
  // get through the store.
  Result<std::string> Answer(std::string_view payload, const DeliveryLimits& limits,
                             const Run& run);

 private:
  Result<std::string> AnswerEnvelope(job::Envelope envelope, const DeliveryLimits& limits,
                                     const Run& run);
  Result<std::string> Send(std::string answer, uint64_t max_bytes);
  std::string AnswerPing() const;
  // Makes the bucket at `location` the job's store.
  Result<void> UseStore(const std::string& location);
  Result<job::StoreUrl> Permitted(const std::string& location) const;

  const FunctionFacts facts_;
  store::ObjectStore& runtime_;
  JobStore& store_;
  const Clock& clock_;
  const int stop_fd_;
  job::StoreUrl url_;  // of s3_
  std::unique_ptr<S3Objects> s3_;
};

}  // namespace llama::worker
