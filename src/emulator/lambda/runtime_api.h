// RuntimeApi: Lambda's Runtime API over TCP, one listener for each environment, as Lambda has it:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
//
// No thread of its own: whoever invokes drives it. What the function sends is bounded, and a
// connection that misbehaves is closed; every wait ends by its deadline or the function's end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "http/stream.h"

namespace llama::emulator {

struct RuntimeJob {
  std::string id;
  std::string function_arn;
  std::string trace_id;        // empty: none
  std::string client_context;  // JSON; empty: none
  int64_t deadline_ms = 0;     // of the Unix epoch
  std::string_view payload;
};

struct RuntimeAnswer {
  enum class Kind : unsigned char { kAnswer, kError, kTooLarge };
  Kind kind = Kind::kAnswer;
  std::string body;
  std::string error_type;  // Lambda-Runtime-Function-Error-Type
};

class RuntimeApi {
 public:
  static Result<std::unique_ptr<RuntimeApi>> Listen(const Clock& clock);
  ~RuntimeApi();

  uint16_t port() const { return port_; }

  // Waits until the runtime asks for work. kCancelled: wait.stop_fd or its caller; kDeadline;
  // kRemoteFailed: it reports that it cannot start, its JSON is the message.
  Result<void> AwaitNext(const http::Wait& wait);
  // Whether the runtime asks for work; looks at what has come, and waits for nothing else.
  bool IsWaiting();
  // Hands over the job (after AwaitNext) and serves until its answer. An answer of more than
  // `max_answer_bytes` is refused with 413.
  Result<RuntimeAnswer> Run(const RuntimeJob& job, uint64_t max_answer_bytes,
                            const http::Wait& wait);

 private:
  struct Call;  // a request, and where its answer goes

  RuntimeApi(Fd listener, uint16_t port, const Clock& clock);
  Result<Call> NextCall(const http::Wait& wait, uint64_t max_body_bytes);
  Result<Call> ReadCall(size_t index, const http::Wait& wait, uint64_t max_body_bytes);
  void Accept();
  void Reply(const Call& call, std::string_view status, std::string_view headers,
             std::string_view body, const http::Wait& wait);
  void ReplyError(const Call& call, std::string_view status, std::string_view type,
                  std::string_view message, const http::Wait& wait);
  Result<void> HandleIdleCall(Call call, const http::Wait& wait);

  Fd listener_;
  const uint16_t port_;
  const Clock& clock_;
  std::vector<std::unique_ptr<http::Stream>> streams_;
  http::Stream* waiting_ = nullptr;  // of streams_: whose "next" has no answer yet
};

}  // namespace llama::emulator
