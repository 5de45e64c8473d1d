#include "worker/transport/runtime_client.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <charconv>

#include "base/text/json.h"
#include "http/dial.h"
#include "http/url.h"
#include "worker/transport/job_store.h"

namespace llama::worker {
namespace {

constexpr std::string_view kVersionPath = "/2018-06-01/runtime";
// Lambda's limit of a synchronous answer (6 MB), with room for what it wraps around.
constexpr uint64_t kLambdaAnswerBytes = 6'000'000;
constexpr uint64_t kLocalAnswerBytes = 256ull << 20;
constexpr uint64_t kMaxPayloadBytes = 256ull << 20;
constexpr int64_t kRuntimeConnectMs = 5'000;
constexpr size_t kMaxTraceIdBytes = 256;
constexpr int64_t kHourMs = 3'600'000;

template <typename T>
Result<T> ParseDecimal(std::string_view text, std::string_view what) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return Error{Code::kInvalid,
                 std::string(what) + ": \"" + std::string(text) + "\" is no number"};
  }
  return value;
}

Result<Fd> AdoptSocket(const std::string& api) {
  ASSIGN_OR_RETURN(const int number, ParseDecimal<int>(std::string_view(api).substr(3), api));
  if (number < 0 || fcntl(number, F_SETFD, FD_CLOEXEC) != 0) return ErrnoError(EBADF, api);
  return Fd(number);
}

Result<Fd> ConnectTcp(const std::string& api, const Clock& clock, int stop_fd) {
  ASSIGN_OR_RETURN(const http::Url url, http::ParseUrl("http://" + api));
  if (url.default_port || !url.path.empty()) return Error{Code::kInvalid, api + ": not host:port"};
  http::Wait wait;
  wait.stop_fd = stop_fd;
  wait.deadline_ns = clock.MonotonicNs() + kRuntimeConnectMs * 1'000'000;
  return http::Dial(url.host, url.port, clock, wait);
}

// A deadline by which a job could be stopped: Lambda's longest is 15 minutes away. Some runtimes'
// is no time of day at all.
bool IsPlausible(int64_t deadline_ms, const Clock& clock) {
  const int64_t now_ms = clock.NowNs() / 1'000'000;
  return deadline_ms > now_ms - kHourMs && deadline_ms < now_ms + kHourMs;
}

std::string ErrorBody(const Error& error) {
  JsonWriter json;
  json.BeginObject();
  json.Key("errorMessage").String(error.message);
  json.Key("errorType").String(CodeName(error.code));
  json.Key("stackTrace").BeginArray().EndArray();
  json.EndObject();
  return json.Take();
}

// What an id must not smuggle into a request line.
bool IsPlainId(std::string_view id) {
  for (char c : id) {
    if (c <= ' ' || c == '/' || c == '?' || c == '#' || c == 0x7f) return false;
  }
  return id.size() <= 256;
}

class RuntimeStore final : public store::ObjectStore {
 public:
  explicit RuntimeStore(RuntimeClient& client) : client_(client) {}

  Result<bool> Put(const std::string& key, std::string_view, const store::PutOptions&) override {
    return ReadOnly(key);
  }
  Result<std::string> Get(const std::string& key) override {
    if (!store::IsValidKey(key)) return Error{Code::kInvalid, key + ": not a key"};
    return client_.Get(key);
  }
  Result<bool> Exists(const std::string& key) override {
    Result<std::string> object = Get(key);
    if (object) return true;
    if (object.error().code == Code::kNotFound) return false;
    return std::move(object).error();
  }
  Result<void> Delete(const std::string& key) override { return ReadOnly(key); }

 private:
  static Error ReadOnly(const std::string& key) {
    return Error{Code::kInvalid, key + ": a worker only reads the store"};
  }
  RuntimeClient& client_;
};

}  // namespace

RuntimeClient::RuntimeClient(std::string host, http::Stream stream, const Clock& clock, int stop_fd,
                             bool tcp)
    : host_(std::move(host)),
      clock_(clock),
      stop_fd_(stop_fd),
      tcp_(tcp),
      stream_(std::move(stream)) {}

Result<std::unique_ptr<RuntimeClient>> RuntimeClient::Connect(const std::string& api,
                                                              const Clock& clock, int stop_fd) {
  const bool tcp = !api.starts_with("fd:");
  ASSIGN_OR_RETURN(Fd fd, tcp ? ConnectTcp(api, clock, stop_fd) : AdoptSocket(api));
  return std::unique_ptr<RuntimeClient>(new RuntimeClient(
      tcp ? api : "localhost", http::Stream(std::move(fd), clock), clock, stop_fd, tcp));
}

Result<http::Stream> RuntimeClient::Dial() const {
  ASSIGN_OR_RETURN(Fd fd, ConnectTcp(host_, clock_, stop_fd_));
  return http::Stream(std::move(fd), clock_);
}

Result<http::Message> RuntimeClient::Exchange(std::string_view method, const std::string& target,
                                              std::string_view headers, std::string_view body,
                                              uint64_t max_bytes) {
  const MutexLock lock(mutex_);
  http::Wait wait;
  wait.stop_fd = stop_fd_;
  std::string head = std::string(method) + " " + target + " HTTP/1.1\r\n";
  head += http::HeaderLine("Host", host_);
  head += headers;
  // A kept connection that the server has dropped meanwhile, perhaps while this process was frozen,
  // is no failure.
  bool is_new = !tcp_;
  if (tcp_ && stream_.HungUp()) {
    ASSIGN_OR_RETURN(stream_, Dial());
    is_new = true;
  }
  while (true) {
    const Result<void> sent = stream_.Write(head, body, wait);
    Result<http::Message> answer = sent ? stream_.Read(http::Kind::kAnswer, max_bytes, wait)
                                        : Result<http::Message>(sent.error());
    const bool was_dead = !answer && (sent ? answer.error().code == Code::kNotFound
                                           : sent.error().code == Code::kUnavailable);
    if (is_new || !was_dead) return answer;
    ASSIGN_OR_RETURN(stream_, Dial());
    is_new = true;
  }
}

Result<RuntimeJob> RuntimeClient::Next() {
  ASSIGN_OR_RETURN(
      http::Message answer,
      Exchange("GET", std::string(kVersionPath) + "/invocation/next", "", "", kMaxPayloadBytes));
  if (answer.status() != 200) {
    return Error{Code::kRemoteFailed, "runtime API: next: HTTP " + answer.start[1]};
  }
  RuntimeJob job;
  if (const std::string* id = answer.Find("Lambda-Runtime-Aws-Request-Id")) {
    if (!IsPlainId(*id)) return Error{Code::kInvalid, "runtime API: malformed request id"};
    job.id = *id;
  }
  if (const std::string* deadline = answer.Find("Lambda-Runtime-Deadline-Ms")) {
    Result<int64_t> ms = ParseDecimal<int64_t>(*deadline, "Lambda-Runtime-Deadline-Ms");
    if (ms && IsPlausible(*ms, clock_)) job.deadline_ms = *ms;
  }
  if (const std::string* trace = answer.Find("Lambda-Runtime-Trace-Id")) {
    job.xray = trace->substr(0, kMaxTraceIdBytes);
  }
  job.payload = std::move(answer.body);
  job.received_ns = answer.first_byte_ns;
  return job;
}

Result<void> RuntimeClient::Post(const std::string& target, std::string_view headers,
                                 std::string_view body) {
  ASSIGN_OR_RETURN(const http::Message answer,
                   Exchange("POST", std::string(kVersionPath) + target, headers, body, 1 << 20));
  if (answer.status() / 100 == 2) return {};
  return Error{Code::kRemoteFailed, "runtime API: " + target + ": HTTP " + answer.start[1] + " " +
                                        answer.body.substr(0, 200)};
}

Result<void> RuntimeClient::Respond(const std::string& id, std::string_view payload) {
  return Post("/invocation/" + id + "/response",
              http::HeaderLine("Content-Type", "application/octet-stream"), payload);
}

Result<void> RuntimeClient::Fail(const std::string& id, const Error& error) {
  return Post("/invocation/" + id + "/error",
              http::HeaderLine("Lambda-Runtime-Function-Error-Type", CodeName(error.code)) +
                  http::HeaderLine("Content-Type", "application/json"),
              ErrorBody(error));
}

Result<void> RuntimeClient::FailInit(const Error& error) {
  return Post("/init/error",
              http::HeaderLine("Lambda-Runtime-Function-Error-Type", CodeName(error.code)) +
                  http::HeaderLine("Content-Type", "application/json"),
              ErrorBody(error));
}

Result<std::string> RuntimeClient::Get(const std::string& key) {
  ASSIGN_OR_RETURN(http::Message answer,
                   Exchange("GET", "/llama/store/" + key, "", "", kMaxObjectBytes));
  if (answer.status() == 200) return std::move(answer.body);
  if (answer.status() == 404) return Error{Code::kNotFound, key + ": not in the store"};
  return Error{Code::kUnavailable,
               key + ": HTTP " + answer.start[1] + " " + answer.body.substr(0, 200)};
}

bool RuntimeClient::ShouldStop() const NO_THREAD_SAFETY_ANALYSIS {
  pollfd stop = {stop_fd_, POLLIN, 0};
  if (stop_fd_ >= 0 && poll(&stop, 1, 0) > 0) return true;
  // A TCP server may drop an idle connection; the inherited socket is the other side's life.
  return !tcp_ && stream_.HungUp();
}

uint64_t RuntimeClient::max_answer_bytes() const {
  return tcp_ ? kLambdaAnswerBytes : kLocalAnswerBytes;
}

std::unique_ptr<store::ObjectStore> NewRuntimeStore(RuntimeClient& client) {
  return std::make_unique<RuntimeStore>(client);
}

}  // namespace llama::worker
