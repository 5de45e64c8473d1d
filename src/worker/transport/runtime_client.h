// RuntimeClient: the function's side of Lambda's Runtime API
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), over TCP as Lambda has it or
// over an inherited socket as the local pool has it (docs/wire_format.md).
//
// One thread asks for jobs and answers them; Get may be called by several at once, between a Next
// and its answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "http/stream.h"
#include "store/object_store.h"

namespace llama::worker {

struct RuntimeJob {
  std::string id;           // "" if the header is missing
  int64_t deadline_ms = 0;  // of the Unix epoch; 0: none said, or one that can't be
  std::string xray;         // Lambda-Runtime-Trace-Id; "" if the header is missing
  std::string payload;
  int64_t received_ns = 0;  // monotonic, when the payload began to arrive
};

class RuntimeClient {
 public:
  // `api` is AWS_LAMBDA_RUNTIME_API: "host:port", or "fd:3", a connected socket that
  // becomes the client's. `stop_fd` (or -1), when readable, ends every wait
  // with kCancelled. The clock must outlive the client.
  static Result<std::unique_ptr<RuntimeClient>> Connect(const std::string& api, const Clock& clock,
                                                        int stop_fd = -1);

  // Waits for the next job, as long as it takes. kNotFound: the other side closed: no more jobs.
  Result<RuntimeJob> Next();
  Result<void> Respond(const std::string& id, std::string_view payload);
  Result<void> Fail(const std::string& id, const Error& error);
  Result<void> FailInit(const Error& error);
  // An object of the store behind the API (not in Lambda): kNotFound if there is none.
  Result<std::string> Get(const std::string& key);

  // Whether nobody waits for an answer any more, or the process is told to stop.
  bool ShouldStop() const;
  // Of an answer: what the transport takes.
  uint64_t max_answer_bytes() const;

 private:
  RuntimeClient(std::string host, http::Stream stream, const Clock& clock, int stop_fd, bool tcp);
  Result<http::Stream> Dial() const;
  Result<http::Message> Exchange(std::string_view method, const std::string& target,
                                 std::string_view headers, std::string_view body,
                                 uint64_t max_bytes);
  Result<void> Post(const std::string& target, std::string_view headers, std::string_view body);

  const std::string host_;
  const Clock& clock_;
  const int stop_fd_;
  const bool tcp_;
  Mutex mutex_;
  http::Stream stream_ GUARDED_BY(mutex_);
};

// The store behind `client`, for reading only. `client` must outlive it.
std::unique_ptr<store::ObjectStore> NewRuntimeStore(RuntimeClient& client);

}  // namespace llama::worker
