#include "worker/runtime_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/json.h"

namespace llama::worker {
namespace {

constexpr std::string_view kVersionPath = "/2018-06-01/runtime";
// Lambda's limit of a synchronous answer (6 MB), with room for what it wraps around.
constexpr uint64_t kLambdaAnswerBytes = 6'000'000;
constexpr uint64_t kLocalAnswerBytes = 256ull << 20;
constexpr uint64_t kMaxPayloadBytes = 256ull << 20;
constexpr uint64_t kMaxObjectBytes = 2ull << 30;

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

Result<Fd> ConnectTcp(const std::string& api) {
  const size_t colon = api.rfind(':');
  if (colon == std::string::npos) return Error{Code::kInvalid, api + ": not host:port"};
  ASSIGN_OR_RETURN(const uint16_t port,
                   ParseDecimal<uint16_t>(std::string_view(api).substr(colon + 1), api));
  std::string host = api.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return Error{Code::kInvalid, api + ": not an IPv4 address"};
  }
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError(errno, "socket");
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return Error{Code::kUnavailable, ErrnoError(errno, "connect " + api).message};
  }
  return fd;
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
  ASSIGN_OR_RETURN(Fd fd, tcp ? ConnectTcp(api) : AdoptSocket(api));
  return std::unique_ptr<RuntimeClient>(new RuntimeClient(
      tcp ? api : "localhost", http::Stream(std::move(fd), clock), clock, stop_fd, tcp));
}

Result<http::Message> RuntimeClient::Exchange(std::string_view method, const std::string& target,
                                              std::string_view headers, std::string_view body,
                                              uint64_t max_bytes) {
  const MutexLock lock(mutex_);
  // A kept connection that the server has dropped in between is no failure.
  if (tcp_ && stream_.HungUp()) {
    ASSIGN_OR_RETURN(Fd fd, ConnectTcp(host_));
    stream_ = http::Stream(std::move(fd), clock_);
  }
  http::Wait wait;
  wait.stop_fd = stop_fd_;
  std::string head = std::string(method) + " " + target + " HTTP/1.1\r\n";
  head += http::HeaderLine("Host", host_);
  head += headers;
  TRY(stream_.Write(head, body, wait));
  return stream_.Read(http::Kind::kAnswer, max_bytes, wait);
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
    if (ms) job.deadline_ms = *ms;
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
