// S3Objects: the store of a worker in Lambda: objects of a bucket, fetched with the credentials of
// the function's role, several at once, over connections that are kept. Small on purpose: a
// worker reads objects and now and then writes an answer; the build host has aws/s3/store.h.
//
// Three attempts at most, with full jitter between them; a kept connection that turns out dead is
// replaced without counting. Thread-safe but for SetDeadline.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/stream.h"
#include "http/url.h"
#include "job/store_url.h"
#include "signing/sigv4.h"
#include "store/object_store.h"
#include "worker/transport/kept_connections.h"

namespace llama::worker {

struct S3Access {
  job::StoreUrl url;  // with its region
  signing::Keys keys;
  std::vector<std::string> ca_files;  // the first that exists is used
};

class S3Objects final : public store::ObjectStore {
 public:
  // kInvalid: an endpoint that is none, or one to which credentials are not sent: without TLS, and
  // not on this machine. `stop_fd` (or -1), when readable, ends every call with kCancelled. The
  // clock must outlive the store.
  static Result<std::unique_ptr<S3Objects>> Open(const S3Access& access, const Clock& clock,
                                                 int stop_fd);

  Result<bool> Put(const std::string& key, std::string_view bytes,
                   const store::PutOptions& options) override;
  Result<std::string> Get(const std::string& key) override;
  Result<std::string> GetWith(const std::string& key, const store::GetOptions& options) override;
  Result<bool> Exists(const std::string& key) override;
  Result<void> Delete(const std::string& key) override;

  // When calls end with kDeadline (Clock::MonotonicNs; 0: only by their own limits). Not while one
  // is under way.
  void SetDeadline(int64_t deadline_ns) { deadline_ns_ = deadline_ns; }

 private:
  struct Call {
    std::string method;
    std::string key;
    std::string_view body = {};
    bool if_absent = false;
  };

  S3Objects(const S3Access& access, const http::Url& endpoint, const Clock& clock, int stop_fd);
  // Any status that is not to be tried again. `retries` may be null.
  Result<http::Message> Send(const Call& call, store::Retries* retries = nullptr);
  Result<http::Message> Attempt(const Call& call);
  Result<http::Message> Over(http::Stream& stream, const Call& call);
  std::string SignedHead(const Call& call) const;
  // Before the attempt after that one.
  Result<void> Pause(int attempt) const;
  http::Wait WaitFor(int64_t most_ms) const;

  const S3Access access_;
  const std::string host_;         // as the Host header says it
  const std::string path_prefix_;  // before a key in a request's target
  const Clock& clock_;
  const int stop_fd_;
  int64_t deadline_ns_ = 0;
  KeptConnections connections_;
};

}  // namespace llama::worker
