#include "aws/http/transfer.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

namespace llama::aws {
namespace {

constexpr uint64_t kMaxHeaderBytes = 256 << 10;
// One write of a body this large costs less than the handle's memory would at 1,000 in flight.
constexpr long kUploadBufferBytes = 256 << 10;
constexpr size_t kLargeBody = 64 << 10;

// What moves less than this within stall_ms stands still: a byte a second is no transfer.
constexpr int64_t kLeastProgressBytes = 1 << 10;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Bytes that the kernel holds and the other side has not acknowledged.
int64_t Unacknowledged(CURL* easy) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  int bytes = 0;
  if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket) != CURLE_OK ||
      socket == CURL_SOCKET_BAD || ioctl(socket, SIOCOUTQ, &bytes) != 0) {
    return 0;
  }
  return bytes;
}

}  // namespace

const std::string* HttpAnswer::Find(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return &value;
  }
  return nullptr;
}

std::string WithoutQuery(std::string_view url) { return std::string(url.substr(0, url.find('?'))); }

Result<std::string> OriginOf(std::string_view url) {
  const auto wrong = [&](std::string_view why) {
    return Error{Code::kInvalid, WithoutQuery(url) + ": " + std::string(why)};
  };
  const bool known = url.starts_with("http://") || url.starts_with("https://");
  if (!known) return wrong("not an http or https URL");
  if (std::any_of(url.begin(), url.end(), [](char c) { return c <= ' ' || c >= 0x7f; })) {
    return wrong("holds bytes that are not percent-encoded");
  }
  const size_t host = url.find("//") + 2;
  const std::string_view authority = url.substr(host, url.find_first_of("/?#", host) - host);
  if (authority.empty()) return wrong("names no host");
  if (authority.find('@') != std::string_view::npos) return wrong("holds a user name");
  if (url.find('#') != std::string_view::npos) return wrong("holds a fragment");
  return std::string(url.substr(0, host + authority.size()));
}

Transfer::Transfer(const HttpRequest& request, std::string origin, const Clock& clock)
    : request_(request),
      origin_(std::move(origin)),
      clock_(clock),
      submitted_ns_(clock.MonotonicNs()) {}

Transfer::~Transfer() { curl_slist_free_all(headers_); }

Result<void> Transfer::Start(CURL* easy, const TransferSettings& settings) {
  easy_ = easy;
  started_ns_ = progress_ns_ = clock_.MonotonicNs();
  CURLcode bad = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (const CURLcode code = curl_easy_setopt(easy_, option, value); bad == CURLE_OK) bad = code;
  };
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, &curl_message_[0]);
  set(CURLOPT_NOSIGNAL, 1L);
  // The "?" of an empty query means nothing, to a signature neither. Newer versions of curl leave
  // it out, older ones sent it.
  std::string url = request_.url;
  if (url.find('?') == url.size() - 1) url.pop_back();
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_CONNECTTIMEOUT_MS, 0x7fffffffL);  // limits are Sweep's, curl's default is 300 s
  set(CURLOPT_TCP_KEEPALIVE, 1L);  // a long invocation is silent, and NATs forget the silent
  set(CURLOPT_TCP_KEEPIDLE, 30L);
  set(CURLOPT_TCP_KEEPINTVL, 15L);
  set(CURLOPT_SHARE, settings.share);
  set(CURLOPT_USERAGENT, settings.user_agent.c_str());
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings.ca_file.empty()) {
    set(CURLOPT_CAINFO, settings.ca_file.c_str());
    // With a folder besides the file curl parses all of its certificates on every connection, 8 ms
    // each time, instead of once.
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  if (request_.direct) set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  // What a proxy says before the tunnel stands is not the answer.
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_PREREQFUNCTION, &Transfer::OnConnected);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  if (bad != CURLE_OK) return Name(Code::kInternal, curl_easy_strerror(bad));
  TRY(SetMethod());
  return SetHeaders();
}

Result<void> Transfer::SetMethod() {
  const bool sends =
      !request_.body.empty() || request_.method == "PUT" || request_.method == "POST";
  CURLcode bad = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (const CURLcode code = curl_easy_setopt(easy_, option, value); bad == CURLE_OK) bad = code;
  };
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (sends) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    // Without one curl would ask its read callback, which is stdin.
    set(CURLOPT_POSTFIELDS, request_.body.empty() ? "" : request_.body.data());
    if (request_.body.size() > kLargeBody) set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  } else {
    set(CURLOPT_HTTPGET, 1L);
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  if (bad != CURLE_OK) return Name(Code::kInternal, curl_easy_strerror(bad));
  return {};
}

Result<void> Transfer::SetHeaders() {
  // Headers that curl would add by itself are not signed, so they are left out.
  std::vector<std::string> lines = {"Expect:"};
  bool type = false;
  bool accept = false;
  for (const auto& [name, value] : request_.headers) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return Name(Code::kInvalid, "a header holds a line break");
    }
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
    if (lower == "content-length") continue;
    type = type || lower == "content-type";
    accept = accept || lower == "accept";
    lines.push_back(value.empty() ? name + ";" : name + ": " + value);
  }
  if (!type) lines.emplace_back("Content-Type:");
  if (!accept) lines.emplace_back("Accept:");
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(headers_, line.c_str());
    if (longer == nullptr) return Name(Code::kUnavailable, "out of memory");
    headers_ = longer;
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  return {};
}

size_t Transfer::OnHeader(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view line(bytes, size * count);
  if (transfer.first_byte_ns_ == 0) transfer.first_byte_ns_ = transfer.clock_.MonotonicNs();
  transfer.header_bytes_ += line.size();
  if (transfer.header_bytes_ > kMaxHeaderBytes) {
    transfer.wrong_ = transfer.Name(Code::kInvalid, "the answer's headers are too large");
    return 0;
  }
  transfer.TakeHeader(line);
  return line.size();
}

void Transfer::TakeHeader(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // an interim answer's headers are not the answer's
    answer_.headers.clear();
    head_complete_ = false;
    return;
  }
  if (Trim(line).empty()) head_complete_ = true;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(Trim(line.substr(0, colon)));
  std::transform(name.begin(), name.end(), name.begin(), Lower);
  answer_.headers.emplace_back(std::move(name), Trim(line.substr(colon + 1)));
}

size_t Transfer::OnBody(char* bytes, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  std::string& body = transfer.answer_.body;
  const size_t more = size * count;
  const uint64_t max = transfer.request_.max_answer_bytes;
  curl_off_t announced = -1;
  if (body.empty()) {
    curl_easy_getinfo(transfer.easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  }
  if (body.size() + more > max || announced > static_cast<curl_off_t>(max)) {
    transfer.wrong_ = transfer.Name(Code::kInvalid,
                                    "the answer is larger than " + std::to_string(max) + " bytes");
    return 0;
  }
  // What is announced is not believed at once: memory follows what has arrived.
  if (announced > 0) body.reserve(std::min(static_cast<size_t>(announced), size_t{1} << 20));
  body.append(bytes, more);
  return more;
}

int Transfer::OnConnected(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.connected()) {
    // curl found the kept connection dead and would send once more on a new one.
    transfer.wrong_ =
        transfer.Name(Code::kUnavailable, "the connection was closed before an answer");
    return CURL_PREREQFUNC_ABORT;
  }
  transfer.connected_ns_ = transfer.progress_ns_ = transfer.clock_.MonotonicNs();
  if (transfer.request_.on_begun) transfer.request_.on_begun();
  return CURL_PREREQFUNC_OK;
}

void Transfer::LookAtProgress(int64_t now_ns) {
  if (!connected()) return;
  curl_off_t up = 0;
  curl_off_t down = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &up);
  curl_easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &down);
  const auto size = static_cast<int64_t>(request_.body.size());
  int64_t acknowledged = size;
  if (sent_ns_ == 0) {
    const int64_t queued = Unacknowledged(easy_);
    acknowledged = up - queued;
    // What TLS adds lies in the kernel, too.
    const int64_t of_body = std::clamp<int64_t>(acknowledged, 0, size);
    if (request_.on_progress) request_.on_progress(static_cast<uint64_t>(of_body));
    if (up >= size && queued == 0) {
      sent_ns_ = now_ns;
      if (request_.on_sent) request_.on_sent();
    }
  }
  const int64_t moved = acknowledged + down;
  if (moved_ < 0 || moved < moved_ || moved - moved_ >= kLeastProgressBytes) {
    moved_ = moved;
    progress_ns_ = now_ns;
  }
}

std::optional<Error> Transfer::OverdueAt(int64_t now_ns) const {
  const HttpDeadlines& limits = request_.deadlines;
  const auto passed = [&](int64_t since_ns, int64_t limit_ms) {
    return limit_ms > 0 && now_ns - since_ns >= limit_ms * 1'000'000;
  };
  const auto late = [&](std::string_view what, int64_t limit_ms) {
    return Name(Code::kDeadline, std::string(what) + " within " + std::to_string(limit_ms) + " ms");
  };
  if (passed(submitted_ns_, limits.total_ms)) return late("not done", limits.total_ms);
  if (started_ns_ == 0) return std::nullopt;
  if (!connected()) {
    if (passed(started_ns_, limits.connect_ms)) return late("no connection", limits.connect_ms);
    return std::nullopt;
  }
  const bool answer_begun = first_byte_ns_ != 0;
  if (answer_begun && !head_complete_) {
    if (passed(first_byte_ns_, limits.stall_ms)) {
      return late("no complete head", limits.stall_ms);
    }
  } else if (sent_ns_ != 0 && !answer_begun) {
    if (passed(sent_ns_, limits.first_byte_ms)) return late("no answer", limits.first_byte_ms);
  } else if (passed(progress_ns_, limits.stall_ms)) {
    return late("stalled: next to nothing", limits.stall_ms);
  }
  return std::nullopt;
}

std::optional<Error> Transfer::Sweep() {
  if (request_.cancelled && request_.cancelled()) return Name(Code::kCancelled, "cancelled");
  const int64_t now_ns = clock_.MonotonicNs();
  LookAtProgress(now_ns);
  return OverdueAt(now_ns);
}

void Transfer::Finish(CURLcode code) {
  if (wrong_) return Deliver(*std::move(wrong_));
  if (code != CURLE_OK) return Deliver(CurlError(code));
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  // curl takes the end of the connection for the end of the head.
  if (!head_complete_ || status < 200) {
    return Deliver(Name(Code::kUnavailable, "the answer was cut short in its headers"));
  }
  long connections = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &connections);
  answer_.status = static_cast<int>(status);
  answer_.connect_ns = connections == 0 ? 0 : connected_ns_ - started_ns_;
  answer_.first_byte_ns = first_byte_ns_ - submitted_ns_;
  answer_.total_ns = clock_.MonotonicNs() - submitted_ns_;
  Deliver(std::move(answer_));
}

void Transfer::Fail(Error error) { Deliver(std::move(error)); }

void Transfer::Deliver(Result<HttpAnswer> result) {
  // The handle outlives this object.
  if (easy_ != nullptr) curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, nullptr);
  MutexLock lock(mutex_);
  result_ = std::move(result);
  done_.NotifyOne();
}

Result<HttpAnswer> Transfer::Await() {
  MutexLock lock(mutex_);
  while (!result_) done_.Wait(mutex_);
  return *std::move(result_);
}

Error Transfer::CurlError(CURLcode code) const {
  const std::string_view detail =
      curl_message_[0] != '\0' ? curl_message_ : curl_easy_strerror(code);
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
      return Name(Code::kInvalid, detail);
    case CURLE_OPERATION_TIMEDOUT:
      return Name(Code::kDeadline, detail);
    default:
      return Name(Code::kUnavailable, detail);
  }
}

Error Transfer::Name(Code code, std::string_view what) const {
  return Error{code, WithoutQuery(request_.url) + ": " + std::string(what)};
}

}  // namespace llama::aws
