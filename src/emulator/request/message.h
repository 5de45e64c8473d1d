// What the emulator's fronts (S3, Lambda, Runtime API) get and give: one HTTP request, one answer,
// and the connection between them. Plain values; a handler is called by one thread per connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "emulator/request/plan.h"

namespace llama::emulator {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;
  std::string target;  // as in the request line: path and query, percent-encoded
  std::string path;    // of the target; still encoded, since "a%2Fb" is one segment
  Pairs query;         // decoded, in the order given; "?uploads" has an empty value
  Pairs headers;
  std::string body;
  std::string peer;             // "127.0.0.1:40000"
  std::string id;               // unique; what the answer's request id says
  int64_t began_ns = 0;         // MonotonicNs when its head had come
  int64_t received_ns = 0;      // MonotonicNs when all of it had come
  uint64_t body_limit = 0;      // what the server takes
  bool body_too_large = false;  // more than that: it was not read, and `body` is empty

  // The first of that name, whatever its case; nullptr: none.
  const std::string* Header(std::string_view name) const;
  // The first of exactly that name; nullptr: none.
  const std::string* Query(std::string_view name) const;
  // The path's parts, decoded: "/a%2Fb//c" is {"a/b", "", "c"}. kInvalid: a bad escape.
  Result<std::vector<std::string>> Segments() const;
};

struct Response {
  int status = 200;
  Pairs headers;  // all but Content-Length, Date, Connection and the request id
  std::string body;
  // In place of `body`: these bytes of a file.
  std::shared_ptr<const Fd> file;
  uint64_t file_offset = 0;
  uint64_t file_bytes = 0;

  // For the request log, the metrics and the model. No secrets.
  std::string service;    // "s3", "lambda"
  std::string operation;  // "GetObject"
  std::string resource;   // "bucket/key", a function's name
  std::string error;      // the code of an error: "NoSuchKey"
  // Whose worker asked, as Authority::Issue labelled it; its bandwidth is its own.
  std::string worker;
  // What the model has in store for this answer. The server applies all of it but the latency
  // of an operation whose handler did that itself (and then set latency_ns to 0).
  Plan plan;

  uint64_t size() const { return file ? file_bytes : body.size(); }
};

// The connection of a request, to a handler that takes its time.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // The client hung up, or the server has to end now: nobody waits for the answer.
  virtual bool Abandoned() const = 0;
  // Waits until MonotonicNs() is that much. False: abandoned before.
  virtual bool SleepUntil(int64_t monotonic_ns) const = 0;
};

// One front. Thread-safe: called for many connections at once.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual Response Handle(const Request& request, const Exchange& exchange) = 0;
};

}  // namespace llama::emulator
