// HttpEngine: HTTP and HTTPS requests, thousands at once, on one thread that owns libcurl's multi
// handle: connections are kept alive and shared. One request is one attempt: whether to try again
// is decided in aws/service/service.h alone (curl's own silent retry on a connection that went
// stale is suppressed).
//
// Send blocks its caller and may be called by any number of threads. Deadlines and `cancelled` are
// looked at every 50 ms (kEngineSweepMs).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace llama::aws {

using Headers = std::vector<std::pair<std::string, std::string>>;

inline constexpr int64_t kEngineSweepMs = 50;

// 0: no such limit.
struct HttpDeadlines {
  int64_t connect_ms = 5'000;      // name, TCP and TLS; waiting for a free connection is not in it
  int64_t first_byte_ms = 30'000;  // from the request's last byte to the answer's first
  // Less than 1 KiB in either direction while either is sent; also for the answer's head, from its
  // first byte to its last.
  int64_t stall_ms = 20'000;
  int64_t total_ms = 300'000;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;        // absolute, percent-encoded; sent so, but for the "?" of an empty query
  Headers headers;        // Content-Length is the engine's, and so is Host unless it is here
  std::string_view body;  // must live until Send returns
  HttpDeadlines deadlines;
  uint64_t max_answer_bytes = 64ull << 20;
  bool direct = false;  // past any proxy: for metadata services, which are this machine's own
  // All are called on the engine's thread, so they must be quick, and never after Send returned.
  std::function<bool()> cancelled;  // polled; true ends the request
  std::function<void()> on_begun;   // connected: from now on the other side may have got it
  std::function<void()> on_sent;    // the whole body has been acknowledged by the other side
  // While the body is sent: how much of it has been acknowledged.
  std::function<void(uint64_t bytes)> on_progress;
};

struct HttpAnswer {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;
  int64_t connect_ns = 0;     // 0: over a connection that was there already
  int64_t first_byte_ns = 0;  // from the start
  int64_t total_ns = 0;

  const std::string* Find(std::string_view lower_case_name) const;
};

class HttpSender {
 public:
  virtual ~HttpSender() = default;
  // Any status is an answer. kUnavailable: no connection, reset, cut short; kDeadline: one of the
  // limits, named; kInvalid: a URL or certificate that is wrong, or an answer above its limit;
  // kCancelled. Messages name the URL without its query and never a header.
  virtual Result<HttpAnswer> Send(const HttpRequest& request) = 0;
};

struct EngineOptions {
  std::string ca_file;  // PEM; empty: AWS_CA_BUNDLE, or the system's
  // Requests beyond wait for one of these to end, in order.
  int max_connections_per_host = 1'024;
  std::string user_agent = "llama/0.1";
};

// kInvalid: the CA file can't be read. Proxies are taken from the environment, as curl takes them
// (https_proxy, no_proxy). No Send may be under way when the engine is destroyed.
Result<std::unique_ptr<HttpSender>> StartHttpEngine(const EngineOptions& options);

}  // namespace llama::aws
