#include "emulator/lambda/runtime_api.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/text/json.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

constexpr std::string_view kNext = "/2018-06-01/runtime/invocation/next";
constexpr std::string_view kInitError = "/2018-06-01/runtime/init/error";
constexpr std::string_view kInvocation = "/2018-06-01/runtime/invocation/";
constexpr size_t kMaxConnections = 16;
// Of what comes while no answer is due: errors of the start.
constexpr uint64_t kMaxIdleBodyBytes = 256 << 10;
// An answer above its limit is still read, so that the runtime gets to hear why.
constexpr uint64_t kMaxReadBytes = 64ull << 20;
// For a request without a body to come whole once it has begun.
constexpr int64_t kSmallRequestNs = 100'000'000;
constexpr std::string_view kJson = "Content-Type: application/json\r\n";

}  // namespace

struct RuntimeApi::Call {
  http::Stream* stream = nullptr;
  http::Message request;
  bool too_large = false;  // its body was not read

  bool Is(std::string_view method, std::string_view target) const {
    return request.start[0] == method && request.start[1] == target;
  }
};

Result<std::unique_ptr<RuntimeApi>> RuntimeApi::Listen(const Clock& clock) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoError(errno, "runtime API: socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd.get(), generic, size) != 0 || listen(fd.get(), kMaxConnections) != 0 ||
      getsockname(fd.get(), generic, &size) != 0) {
    return ErrnoError(errno, "runtime API: listen");
  }
  return std::unique_ptr<RuntimeApi>(new RuntimeApi(std::move(fd), ntohs(address.sin_port), clock));
}

RuntimeApi::RuntimeApi(Fd listener, uint16_t port, const Clock& clock)
    : listener_(std::move(listener)), port_(port), clock_(clock) {}

RuntimeApi::~RuntimeApi() = default;

void RuntimeApi::Accept() {
  while (true) {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) return;
    if (streams_.size() == kMaxConnections) continue;
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    streams_.push_back(std::make_unique<http::Stream>(std::move(fd), clock_));
  }
}

Result<RuntimeApi::Call> RuntimeApi::ReadCall(size_t index, const http::Wait& wait,
                                              uint64_t max_body_bytes) {
  Call call;
  call.stream = streams_[index].get();
  ASSIGN_OR_RETURN(call.request, call.stream->ReadHead(http::Kind::kRequest, wait));
  if (const std::string* expect = call.request.Find("Expect")) {
    if (SameIgnoringCase(*expect, "100-continue")) {
      TRY(call.stream->WriteRaw("HTTP/1.1 100 Continue\r\n\r\n", wait));
    }
  }
  Result<void> body =
      call.stream->ReadBody(call.request, http::Kind::kRequest, max_body_bytes, wait);
  if (!body && body.error().code == Code::kInvalid) {
    call.too_large = true;
    return call;
  }
  if (!body) return std::move(body).error();
  return call;
}

Result<RuntimeApi::Call> RuntimeApi::NextCall(const http::Wait& wait, uint64_t max_body_bytes) {
  while (true) {
    std::vector<pollfd> fds = {{wait.stop_fd, POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& stream : streams_) fds.push_back({stream->fd(), POLLIN, 0});
    const int64_t left_ms = (wait.deadline_ns - clock_.MonotonicNs() + 999'999) / 1'000'000;
    if (left_ms < 0) return Error{Code::kDeadline, "runtime API: the function took too long"};
    const int64_t pause_ms = wait.cancelled ? std::min<int64_t>(left_ms, wait.poll_ms) : left_ms;
    if (poll(fds.data(), fds.size(), static_cast<int>(std::min<int64_t>(pause_ms, 1 << 30))) < 0 &&
        errno != EINTR) {
      return ErrnoError(errno, "poll");
    }
    // What it said before it ended counts, so the end is looked at last.
    for (size_t i = 2; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      Result<Call> call = ReadCall(i - 2, wait, max_body_bytes);
      if (call) return call;
      const Code code = call.error().code;
      if (streams_[i - 2].get() == waiting_) waiting_ = nullptr;
      streams_.erase(streams_.begin() + static_cast<ptrdiff_t>(i - 2));
      if (code == Code::kDeadline || code == Code::kCancelled) return call;
      break;
    }
    if (fds[1].revents != 0) {
      Accept();
      continue;
    }
    if (fds[0].revents != 0) return Error{Code::kCancelled, "runtime API: the function ended"};
    if (wait.cancelled && wait.cancelled()) return Error{Code::kCancelled, "cancelled"};
    if (left_ms == 0) return Error{Code::kDeadline, "runtime API: the function took too long"};
  }
}

void RuntimeApi::Reply(const Call& call, std::string_view status, std::string_view headers,
                       std::string_view body, const http::Wait& wait) {
  std::string head = "HTTP/1.1 ";
  head.append(status).append("\r\n").append(headers);
  const std::string* connection = call.request.Find("Connection");
  const bool close = call.too_large || call.request.start[2] == "HTTP/1.0" ||
                     (connection != nullptr && SameIgnoringCase(*connection, "close"));
  if (close) head += "Connection: close\r\n";
  const Result<void> written = call.stream->Write(head, body, wait);
  if (written && !close) return;
  if (waiting_ == call.stream) waiting_ = nullptr;
  std::erase_if(streams_, [&](const auto& stream) { return stream.get() == call.stream; });
}

void RuntimeApi::ReplyError(const Call& call, std::string_view status, std::string_view type,
                            std::string_view message, const http::Wait& wait) {
  JsonWriter json;
  json.BeginObject();
  json.Key("errorMessage").String(message);
  json.Key("errorType").String(type);
  json.EndObject();
  Reply(call, status, kJson, json.str(), wait);
}

// While no job is out there is "next", or an error of the start; anything else is a mistake.
Result<void> RuntimeApi::HandleIdleCall(Call call, const http::Wait& wait) {
  if (call.Is("GET", kNext)) {
    waiting_ = call.stream;
    return {};
  }
  if (call.Is("POST", kInitError)) {
    Reply(call, "202 Accepted", kJson, R"({"status":"OK"})", wait);
    const std::string* type = call.request.Find("Lambda-Runtime-Function-Error-Type");
    if (call.request.body.empty() && type != nullptr) {
      call.request.body = R"({"errorType":")" + *type + "\"}";
    }
    return Error{Code::kRemoteFailed, std::move(call.request.body)};
  }
  if (call.request.start[1].starts_with(kInvocation)) {
    ReplyError(call, "400 Bad Request", "InvalidRequestID", "Invalid request ID", wait);
  } else {
    ReplyError(call, "404 Not Found", "NotFound", "no such API", wait);
  }
  return {};
}

Result<void> RuntimeApi::AwaitNext(const http::Wait& wait) {
  while (waiting_ == nullptr) {
    ASSIGN_OR_RETURN(Call call, NextCall(wait, kMaxIdleBodyBytes));
    TRY(HandleIdleCall(std::move(call), wait));
  }
  return {};
}

bool RuntimeApi::IsWaiting() {
  if (waiting_ != nullptr) return true;
  std::vector<pollfd> fds = {{listener_.get(), POLLIN, 0}};
  for (const auto& stream : streams_) fds.push_back({stream->fd(), POLLIN, 0});
  if (poll(fds.data(), fds.size(), 0) <= 0) return false;
  http::Wait wait;
  wait.deadline_ns = clock_.MonotonicNs() + kSmallRequestNs;
  return AwaitNext(wait).has_value();
}

Result<RuntimeAnswer> RuntimeApi::Run(const RuntimeJob& job, uint64_t max_answer_bytes,
                                      const http::Wait& wait) {
  const std::string base = std::string(kInvocation) + job.id;
  std::string headers(kJson);
  headers += http::HeaderLine("Lambda-Runtime-Aws-Request-Id", job.id);
  headers += http::HeaderLine("Lambda-Runtime-Deadline-Ms", std::to_string(job.deadline_ms));
  headers += http::HeaderLine("Lambda-Runtime-Invoked-Function-Arn", job.function_arn);
  if (!job.trace_id.empty()) headers += http::HeaderLine("Lambda-Runtime-Trace-Id", job.trace_id);
  if (!job.client_context.empty()) {
    headers += http::HeaderLine("Lambda-Runtime-Client-Context", job.client_context);
  }
  Call next;
  next.stream = std::exchange(waiting_, nullptr);
  Reply(next, "200 OK", headers, job.payload, wait);
  while (true) {
    ASSIGN_OR_RETURN(Call call, NextCall(wait, kMaxReadBytes));
    RuntimeAnswer answer;
    if (call.Is("POST", base + "/response")) {
      if (call.too_large || call.request.body.size() > max_answer_bytes) {
        ReplyError(call, "413 Request Entity Too Large", "RequestEntityTooLarge",
                   "Exceeded maximum allowed payload size (" + std::to_string(max_answer_bytes) +
                       " bytes).",
                   wait);
        answer.kind = RuntimeAnswer::Kind::kTooLarge;
        return answer;
      }
      Reply(call, "202 Accepted", kJson, R"({"status":"OK"})", wait);
      answer.body = std::move(call.request.body);
      return answer;
    }
    if (call.Is("POST", base + "/error")) {
      Reply(call, "202 Accepted", kJson, R"({"status":"OK"})", wait);
      answer.kind = RuntimeAnswer::Kind::kError;
      if (!call.too_large) answer.body = std::move(call.request.body);
      const std::string* type = call.request.Find("Lambda-Runtime-Function-Error-Type");
      if (type != nullptr) answer.error_type = *type;
      return answer;
    }
    if (call.Is("GET", kNext)) {
      ReplyError(call, "403 Forbidden", "InvalidStateTransition",
                 "the invocation has no answer yet", wait);
      continue;
    }
    TRY(HandleIdleCall(std::move(call), wait));
  }
}

}  // namespace llama::emulator
