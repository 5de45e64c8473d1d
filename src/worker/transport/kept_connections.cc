#include "worker/transport/kept_connections.h"

#include <unistd.h>

#include <algorithm>

#include "http/dial.h"

namespace llama::worker {
namespace {

// S3 closes a connection that lay idle for some seconds; half of what was seen there.
constexpr int64_t kMaxIdleNs = 10'000'000'000;
constexpr size_t kMaxKept = 32;

}  // namespace

std::optional<http::Stream> KeptConnections::TakeKept() {
  const int64_t now_ns = clock_.MonotonicNs();
  const int64_t now_wall_ns = clock_.NowNs();
  const MutexLock lock(mutex_);
  while (!kept_.empty()) {
    Kept last = std::move(kept_.back());
    kept_.pop_back();
    const int64_t idle_ns = std::max(now_ns - last.since_ns, now_wall_ns - last.since_wall_ns);
    if (idle_ns <= kMaxIdleNs && !last.stream.HungUp()) return std::move(last.stream);
  }
  return std::nullopt;
}

Result<http::Stream> KeptConnections::Connect(const http::Wait& wait) {
  Result<Fd> fd = http::Dial(server_.host, server_.port, clock_, wait);
  if (!fd) {
    Error error = std::move(fd).error();
    if (error.code == Code::kNotFound) error.code = Code::kInvalid;
    return error;
  }
  if (!server_.tls) return http::Stream(*std::move(fd), clock_);
  ASSIGN_OR_RETURN(const std::shared_ptr<const http::TlsContext> trust, Trust());
  return trust->Connect(*std::move(fd), server_.host, clock_, wait);
}

void KeptConnections::Keep(http::Stream stream) {
  if (stream.HasBuffered()) return;  // an answer that nobody asked for
  const MutexLock lock(mutex_);
  if (kept_.size() == kMaxKept) kept_.erase(kept_.begin());
  kept_.push_back({std::move(stream), clock_.MonotonicNs(), clock_.NowNs()});
}

Result<std::shared_ptr<const http::TlsContext>> KeptConnections::Trust() {
  const MutexLock lock(mutex_);
  if (trust_) return trust_;
  for (const std::string& file : ca_files_) {
    if (access(file.c_str(), R_OK) != 0) continue;
    ASSIGN_OR_RETURN(trust_, http::TlsContext::ForClients(file));
    return trust_;
  }
  return Error{Code::kInvalid, "TLS: no CA certificates found; LLAMA_CA_FILE may name them"};
}

}  // namespace llama::worker
