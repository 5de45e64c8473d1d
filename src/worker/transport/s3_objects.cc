#include "worker/transport/s3_objects.h"

#include <poll.h>
#include <sys/random.h>

#include <algorithm>

#include "http/resolve.h"
#include "signing/partition.h"
#include "store/bucket_owner.h"
#include "worker/transport/job_store.h"

namespace llama::worker {
namespace {

constexpr int kAttempts = 3;
constexpr int64_t kBaseDelayMs = 50;
constexpr int64_t kS3ConnectMs = 4'000;
// With next to nothing of the answer; S3's first byte comes in tens of milliseconds.
constexpr int64_t kStallMs = 8'000;
// What moves less than this within kStallMs stands still: a byte a second is no transfer.
constexpr uint64_t kLeastProgressBytes = 1 << 10;
// What a request's own body may take besides: a line of a megabyte a second is no stall.
constexpr int64_t kUploadBytesPerMs = 1'000;
constexpr int64_t kWholeMs = 300'000;

Error Refused(std::string_view why) { return Error{Code::kInvalid, "store: " + std::string(why)}; }

// A bucket with a dot in its name has no certificate as a host, one at an IP address no name.
bool IsPathStyle(const job::StoreUrl& url, const http::Url& endpoint) {
  return url.path_style || url.bucket.find('.') != std::string::npos ||
         http::ParseAddress(endpoint.host, 0).has_value();
}

http::Url ServerOf(const job::StoreUrl& url, http::Url endpoint) {
  if (!IsPathStyle(url, endpoint)) endpoint.host = url.bucket + "." + endpoint.host;
  return endpoint;
}

std::string PathPrefix(const job::StoreUrl& url, const http::Url& endpoint) {
  return (IsPathStyle(url, endpoint) ? "/" + url.bucket + "/" : "/") +
         signing::UriEncode(url.prefix, true);
}

uint32_t RandomBelow(uint32_t bound) {
  uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value) return bound / 2;
  return value % bound;
}

bool IsPassing(int status) { return status >= 500 || status == 429 || status == 409; }

// S3's own word for what went wrong: <Code>…</Code>.
std::string CodeOf(const std::string& body) {
  const size_t start = body.find("<Code>");
  const size_t end = start == std::string::npos ? start : body.find("</Code>", start);
  if (end == std::string::npos || end - start > 100) return "";
  return " " + body.substr(start + 6, end - start - 6);
}

// Without s3:ListBucket, which a worker's role has no need for, S3 does not say that an object is
// absent: "If you don't have the s3:ListBucket permission, Amazon S3 returns an HTTP status code
// 403" (API reference, GetObject). A key or signature that is refused has other codes.
bool MayBeAbsent(const http::Message& answer) {
  return answer.status() == 404 ||
         (answer.status() == 403 && CodeOf(answer.body) == " AccessDenied");
}

Error StatusError(const http::Message& answer, const std::string& what) {
  const int status = answer.status();
  const Code code = status == 404       ? Code::kNotFound
                    : IsPassing(status) ? Code::kUnavailable
                                        : Code::kInvalid;
  return Error{code, what + ": HTTP " + std::to_string(status) + CodeOf(answer.body)};
}

}  // namespace

Result<std::unique_ptr<S3Objects>> S3Objects::Open(const S3Access& access, const Clock& clock,
                                                   int stop_fd) {
  std::string endpoint = access.url.endpoint;
  if (endpoint.empty()) {
    if (access.url.region.empty()) return Refused("neither region nor endpoint");
    endpoint = "https://s3." + access.url.region + ".";
    endpoint += signing::PartitionOf(access.url.region).domain;
  }
  ASSIGN_OR_RETURN(const http::Url url, http::ParseUrl(endpoint));
  if (!url.path.empty() && url.path != "/") return Refused(endpoint + " has a path");
  if (!url.tls && !http::IsLoopback(url.host)) {
    return Refused(endpoint + ": credentials are not sent without TLS");
  }
  return std::unique_ptr<S3Objects>(new S3Objects(access, url, clock, stop_fd));
}

S3Objects::S3Objects(const S3Access& access, const http::Url& endpoint, const Clock& clock,
                     int stop_fd)
    : access_(access),
      host_(ServerOf(access.url, endpoint).Authority()),
      path_prefix_(PathPrefix(access.url, endpoint)),
      clock_(clock),
      stop_fd_(stop_fd),
      connections_(ServerOf(access.url, endpoint), access.ca_files, clock) {}

http::Wait S3Objects::WaitFor(int64_t most_ms) const {
  http::Wait wait;
  wait.stop_fd = stop_fd_;
  wait.deadline_ns = clock_.MonotonicNs() + most_ms * 1'000'000;
  if (deadline_ns_ != 0) wait.deadline_ns = std::min(wait.deadline_ns, deadline_ns_);
  return wait;
}

std::string S3Objects::SignedHead(const Call& call) const {
  signing::Request request;
  request.method = call.method;
  request.target = path_prefix_ + signing::UriEncode(call.key, true);
  request.headers = {{"Host", host_}};
  if (call.if_absent) request.headers.emplace_back("If-None-Match", "*");
  if (const std::string_view owner = store::OwnerInName(access_.url.bucket); !owner.empty()) {
    request.headers.emplace_back(store::kExpectedOwnerHeader, owner);
  }
  request.payload_sha256 = signing::Sha256Hex(call.body);
  signing::Sign(request, access_.keys, {access_.url.region, "s3"}, clock_.NowNs() / 1'000'000'000);
  std::string head = call.method + " " + request.target + " HTTP/1.1\r\n";
  for (const auto& [name, value] : request.headers) head += http::HeaderLine(name, value);
  return head;
}

// kNotFound: the connection had ended before an answer began. Whatever else is wrong with an
// answer, another attempt may get a better one.
Result<http::Message> S3Objects::Over(http::Stream& stream, const Call& call) {
  http::Wait wait = WaitFor(kWholeMs);
  int64_t heard_ns = clock_.MonotonicNs();
  const int64_t upload_ms = static_cast<int64_t>(call.body.size()) / kUploadBytesPerMs;
  const int64_t stall_ns = (kStallMs + upload_ms) * 1'000'000;
  bool stalled = false;
  uint64_t heard_bytes = 0;
  wait.received = [&](uint64_t bytes) {
    heard_bytes += bytes;
    if (heard_bytes < kLeastProgressBytes) return;
    heard_bytes = 0;
    heard_ns = clock_.MonotonicNs();
  };
  wait.cancelled = [&] { return stalled = clock_.MonotonicNs() - heard_ns > stall_ns; };
  const http::Kind kind = call.method == "HEAD" ? http::Kind::kAnswerToHead : http::Kind::kAnswer;
  const Result<void> sent = stream.Write(SignedHead(call), call.body, wait);
  if (stalled) return Error{Code::kUnavailable, "stalled"};
  if (!sent && sent.error().code == Code::kUnavailable) {
    return Error{Code::kNotFound, sent.error().message};
  }
  if (!sent) return sent.error();
  Result<http::Message> answer = stream.Read(kind, kMaxObjectBytes, wait);
  if (answer) return answer;
  if (stalled) return Error{Code::kUnavailable, "stalled"};
  Error error = std::move(answer).error();
  if (error.code == Code::kInvalid) error.code = Code::kUnavailable;
  return error;
}

Result<http::Message> S3Objects::Attempt(const Call& call) {
  const auto finish = [&](http::Stream& stream, Result<http::Message> answer) {
    const std::string* connection = answer ? answer->Find("Connection") : nullptr;
    if (answer && (connection == nullptr || *connection != "close")) {
      connections_.Keep(std::move(stream));
    }
    return answer;
  };
  while (std::optional<http::Stream> kept = connections_.TakeKept()) {
    Result<http::Message> answer = Over(*kept, call);
    const bool was_dead = !answer && answer.error().code == Code::kNotFound;
    if (!was_dead) return finish(*kept, std::move(answer));
  }
  ASSIGN_OR_RETURN(http::Stream stream, connections_.Connect(WaitFor(kS3ConnectMs)));
  Result<http::Message> answer = Over(stream, call);
  if (!answer && answer.error().code == Code::kNotFound) {
    return Error{Code::kUnavailable, answer.error().message};
  }
  return finish(stream, std::move(answer));
}

Result<void> S3Objects::Pause(int attempt) const {
  const auto most_ms = static_cast<uint32_t>(kBaseDelayMs << attempt);
  pollfd stop = {stop_fd_, POLLIN, 0};
  if (poll(&stop, 1, static_cast<int>(RandomBelow(most_ms + 1))) > 0) {
    return Error{Code::kCancelled, "told to stop"};
  }
  return {};
}

Result<http::Message> S3Objects::Send(const Call& call, store::Retries* retries) {
  const std::string what =
      "store: " + call.method + " " + access_.url.bucket + "/" + access_.url.prefix + call.key;
  TRY(store::CheckKey(call.key));
  Error last{Code::kUnavailable, what};
  const int64_t begin_ns = clock_.MonotonicNs();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) TRY(Pause(attempt));
    const int64_t again_ns = clock_.MonotonicNs();
    Result<http::Message> answer = Attempt(call);
    if (answer && !IsPassing(answer->status())) {
      if (attempt > 0 && retries != nullptr) {
        retries->Add(static_cast<uint64_t>(attempt), begin_ns, again_ns);
      }
      return answer;
    }
    last = answer ? StatusError(*answer, what) : std::move(answer).error().With(what);
    if (last.code != Code::kUnavailable && last.code != Code::kDeadline) return last;
    if (deadline_ns_ != 0 && clock_.MonotonicNs() >= deadline_ns_) return last;
  }
  return last;
}

Result<bool> S3Objects::Put(const std::string& key, std::string_view bytes,
                            const store::PutOptions& options) {
  const Call call = {"PUT", key, bytes, options.if_absent};
  ASSIGN_OR_RETURN(const http::Message answer, Send(call));
  if (answer.status() / 100 == 2) return true;
  if (options.if_absent && answer.status() == 412) return false;
  return StatusError(answer, "store: PUT " + key);
}

Result<std::string> S3Objects::Get(const std::string& key) { return GetWith(key, {}); }

Result<std::string> S3Objects::GetWith(const std::string& key, const store::GetOptions& options) {
  ASSIGN_OR_RETURN(http::Message answer, Send({"GET", key}, options.retries));
  if (answer.status() == 200) return std::move(answer.body);
  Error error = StatusError(answer, "store: GET " + key);
  if (MayBeAbsent(answer)) error.code = Code::kNotFound;
  return error;
}

Result<bool> S3Objects::Exists(const std::string& key) {
  ASSIGN_OR_RETURN(const http::Message answer, Send({"HEAD", key}));
  if (answer.status() == 200) return true;
  if (answer.status() == 404) return false;
  return StatusError(answer, "store: HEAD " + key);
}

Result<void> S3Objects::Delete(const std::string& key) {
  ASSIGN_OR_RETURN(const http::Message answer, Send({"DELETE", key}));
  if (answer.status() / 100 == 2 || answer.status() == 404) return {};
  return StatusError(answer, "store: DELETE " + key);
}

}  // namespace llama::worker
