// FunctionClient: runs one job in a function; the seam to Lambda. Implementations: the local pool
// (cloud/local_pool.h), Lambda (aws/lambda/functions.h), replay. Thread-safe; Invoke blocks its
// caller.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/retries.h"
#include "trace/span.h"

namespace llama::job {

struct InvokeOptions {
  int64_t timeout_ms = 900'000;       // whole, waiting for a free worker included
  std::function<bool()> cancelled;    // polled; true ends the invocation and its command
  store::Retries* retries = nullptr;  // gets requests that failed and were made again
  // Of the whole, what may pass with anything but the function's run and the wait for a worker:
  // transfers through a store, requests that fail and the waits after them.
  int64_t overhead_ms = INT64_MAX / 2'000'000;
};

struct Invocation {
  std::string payload;      // the function's answer
  int64_t queued_ns = 0;    // waiting for a worker
  bool cold_start = false;  // a worker was started for it
  int64_t init_ns = 0;      // of that start
  // Over the network, as encoded for it; 0: the payloads themselves.
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  int64_t requests = 1;     // to the function service, failed ones included
  uint64_t store_puts = 0;  // for a payload or an answer too large to travel with the invocation
  uint64_t store_gets = 0;
  double cost_usd = 0;  // of the invocation, store requests apart
  // What else its service says of it, as fields of a span: how it billed, what it is configured
  // with.
  std::vector<std::pair<std::string, trace::Value>> details;
};

class FunctionClient {
 public:
  virtual ~FunctionClient() = default;
  // kUnavailable: a worker that died, a throttle: trying again may help. kRemoteFailed: the
  // function answered with an error. kDeadline, kCancelled.
  virtual Result<Invocation> Invoke(std::string_view payload, const InvokeOptions& options) = 0;
  // Asks the service behind it for next to nothing, to see whether it answers at all.
  virtual Result<void> Ping(const InvokeOptions&) { return {}; }
  virtual uint64_t max_payload_bytes() const = 0;  // of request and of answer
  virtual std::string name() const = 0;            // for spans: "local", "lambda:llama"
};

}  // namespace llama::job
