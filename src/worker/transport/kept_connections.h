// KeptConnections: HTTP connections to one server, kept for the next request. What lay idle for
// long, or was closed by the other side, is thrown away: between two invocations a function is
// frozen for any time, and its connections may die without a word. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "http/stream.h"
#include "http/tls.h"
#include "http/url.h"

namespace llama::worker {

class KeptConnections {
 public:
  // `ca_files`: the first that exists is used, and read at the first connection. The clock must
  // outlive this.
  KeptConnections(http::Url server, std::vector<std::string> ca_files, const Clock& clock)
      : server_(std::move(server)), ca_files_(std::move(ca_files)), clock_(clock) {}

  // One that was kept, if there is a live one.
  std::optional<http::Stream> TakeKept() EXCLUDES(mutex_);
  // A new one. kInvalid: a certificate that is not to be trusted, or no such host: trying again is
  // of no use.
  Result<http::Stream> Connect(const http::Wait& wait) EXCLUDES(mutex_);
  void Keep(http::Stream stream) EXCLUDES(mutex_);

 private:
  struct Kept {
    http::Stream stream;
    int64_t since_ns;       // monotonic
    int64_t since_wall_ns;  // a freeze may stop the one clock but not the other
  };
  Result<std::shared_ptr<const http::TlsContext>> Trust() EXCLUDES(mutex_);

  const http::Url server_;
  const std::vector<std::string> ca_files_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<Kept> kept_ GUARDED_BY(mutex_);
  std::shared_ptr<const http::TlsContext> trust_ GUARDED_BY(mutex_);
};

}  // namespace llama::worker
