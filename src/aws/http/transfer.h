// Transfer: one request on its way through libcurl: the easy handle's settings, what its callbacks
// gather, and the limits that a sweep holds it to. All but the constructor and Await belongs to the
// engine's thread.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <optional>
#include <string>

#include "aws/http/engine.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace llama::aws {

// What is the same for every transfer of an engine.
struct TransferSettings {
  CURLSH* share = nullptr;  // of TLS sessions
  std::string ca_file;
  std::string user_agent;
};

// "https://host:8443" of a URL; kInvalid unless it is absolute, http or https, and free of what
// curl would change or split: spaces, control characters, a fragment, a user name.
Result<std::string> OriginOf(std::string_view url);
// For messages: without the query, which may hold a signature.
std::string WithoutQuery(std::string_view url);

class Transfer {
 public:
  Transfer(const HttpRequest& request, std::string origin, const Clock& clock);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  const std::string& origin() const { return origin_; }
  CURL* easy() const { return easy_; }
  bool connected() const { return connected_ns_ != 0; }

  // `easy` is fresh or reset, and the caller's to take back after Finish.
  Result<void> Start(CURL* easy, const TransferSettings& settings);
  // What ends it now, if anything does: a deadline, a cancellation, a wrong answer.
  std::optional<Error> Sweep();
  // After curl is done with it, or instead.
  void Finish(CURLcode code);
  void Fail(Error error);

  // Blocks the caller of Send.
  Result<HttpAnswer> Await();

 private:
  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self);
  static size_t OnBody(char* bytes, size_t size, size_t count, void* self);
  static int OnConnected(void* self, char* remote_ip, char* local_ip, int remote_port,
                         int local_port);
  Result<void> SetMethod();
  Result<void> SetHeaders();
  void TakeHeader(std::string_view line);
  void LookAtProgress(int64_t now_ns);
  std::optional<Error> OverdueAt(int64_t now_ns) const;
  Error CurlError(CURLcode code) const;
  Error Name(Code code, std::string_view what) const;
  void Deliver(Result<HttpAnswer> result);

  const HttpRequest& request_;
  const std::string origin_;
  const Clock& clock_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  char curl_message_[CURL_ERROR_SIZE] = {};

  HttpAnswer answer_;
  uint64_t header_bytes_ = 0;
  bool head_complete_ = false;
  std::optional<Error> wrong_;  // why a callback broke it off

  const int64_t submitted_ns_;
  int64_t started_ns_ = 0;
  int64_t connected_ns_ = 0;
  int64_t sent_ns_ = 0;  // the body has left the kernel's buffer
  int64_t first_byte_ns_ = 0;
  int64_t progress_ns_ = 0;  // when `moved_` last changed
  int64_t moved_ = -1;       // bytes acknowledged and received

  Mutex mutex_;
  CondVar done_;
  std::optional<Result<HttpAnswer>> result_ GUARDED_BY(mutex_);
};

}  // namespace llama::aws
