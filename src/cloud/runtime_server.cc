#include "cloud/runtime_server.h"

#include "cloud/local_pool.h"

namespace llama::cloud {
namespace {

constexpr std::string_view kNext = "/2018-06-01/runtime/invocation/next";
constexpr std::string_view kInitError = "/2018-06-01/runtime/init/error";
constexpr std::string_view kInvocation = "/2018-06-01/runtime/invocation/";
constexpr std::string_view kStore = "/llama/store/";
// What surrounds the answer that a worker may send.
constexpr uint64_t kMaxBodyBytes = kMaxLocalPayloadBytes + (1 << 20);

bool Is(const http::Message& request, std::string_view method, std::string_view target) {
  return request.start[0] == method && request.start[1] == target;
}

// The worker's JSON, cut to what a message can hold.
std::string Excerpt(const std::string& body) { return body.substr(0, 1000); }

Error Unexpected(const http::Message& request) {
  return Error{Code::kInvalid, "worker: unexpected request: " + request.start[0].substr(0, 20) +
                                   " " + request.start[1].substr(0, 200)};
}

}  // namespace

RuntimeServer::RuntimeServer(Fd socket, store::ObjectStore& store, const Clock& clock,
                             StoreTraffic& traffic)
    : stream_(std::move(socket), clock), store_(store), traffic_(traffic) {}

Result<void> RuntimeServer::Send(std::string_view status, std::string_view headers,
                                 std::string_view body, const http::Wait& wait) {
  return stream_.Write("HTTP/1.1 " + std::string(status) + "\r\n" + std::string(headers), body,
                       wait);
}

Result<void> RuntimeServer::AwaitReady(const http::Wait& wait) {
  if (ready_) return {};
  ASSIGN_OR_RETURN(const http::Message request,
                   stream_.Read(http::Kind::kRequest, kMaxBodyBytes, wait));
  if (Is(request, "POST", kInitError)) {
    TRY(Send("202 Accepted", "", "", wait));
    return Error{Code::kRemoteFailed, "worker: cannot start: " + Excerpt(request.body)};
  }
  if (!Is(request, "GET", kNext)) return Unexpected(request);
  ready_ = true;
  return {};
}

Result<void> RuntimeServer::SendObject(const std::string& key, const http::Wait& wait) {
  traffic_.gets.fetch_add(1, std::memory_order_relaxed);
  Result<std::string> object = store_.Get(key);
  if (!object) {
    const bool absent = object.error().code == Code::kNotFound;
    return Send(absent ? "404 Not Found" : "500 Internal Server Error", "",
                Excerpt(object.error().message), wait);
  }
  traffic_.bytes.fetch_add(static_cast<int64_t>(object->size()), std::memory_order_relaxed);
  return Send("200 OK", "", *object, wait);
}

Result<std::string> RuntimeServer::Run(std::string_view payload, int64_t deadline_ms,
                                       const http::Wait& wait) {
  TRY(AwaitReady(wait));
  ready_ = false;
  const std::string id = std::to_string(++jobs_);
  const std::string headers =
      http::HeaderLine("Lambda-Runtime-Aws-Request-Id", id) +
      http::HeaderLine("Lambda-Runtime-Deadline-Ms", std::to_string(deadline_ms));
  TRY(Send("200 OK", headers, payload, wait));
  while (true) {
    Result<http::Message> read = stream_.Read(http::Kind::kRequest, kMaxBodyBytes, wait);
    if (!read) {
      Error error = std::move(read).error();
      if (error.code == Code::kNotFound) error.code = Code::kUnavailable;
      return error;
    }
    http::Message request = std::move(read).value();
    const std::string& target = request.start[1];
    if (request.start[0] == "GET" && target.starts_with(kStore)) {
      TRY(SendObject(target.substr(kStore.size()), wait));
    } else if (Is(request, "POST", std::string(kInvocation) + id + "/response")) {
      TRY(Send("202 Accepted", "", "", wait));
      return std::move(request.body);
    } else if (Is(request, "POST", std::string(kInvocation) + id + "/error")) {
      TRY(Send("202 Accepted", "", "", wait));
      return Error{Code::kRemoteFailed, "worker: " + Excerpt(request.body)};
    } else {
      return Unexpected(request);
    }
  }
}

}  // namespace llama::cloud
