#include "aws/http/engine.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <map>
#include <thread>

#include "aws/http/transfer.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mutex.h"

namespace llama::aws {
namespace {

// Until a name has been resolved once, every transfer to it would resolve it by a thread of its
// own.
constexpr int kUntilResolved = 4;
constexpr size_t kMaxIdleHandles = 256;
// Below what load balancers of AWS keep an idle connection for (S3 a few seconds to a minute).
constexpr long kMaxConnectionAgeS = 50;

class Engine final : public HttpSender {
 public:
  Engine(const EngineOptions& options, TransferSettings settings)
      : options_(options), settings_(std::move(settings)) {}

  Result<void> Start();
  ~Engine() override;
  Result<HttpAnswer> Send(const HttpRequest& request) override;

 private:
  // Transfers of one scheme, host and port.
  struct Origin {
    int running = 0;
    bool reached = false;
    std::deque<Transfer*> waiting;
  };

  static int OnSocket(CURL*, curl_socket_t socket, int what, void* self, void* known);
  static int OnTimer(CURLM*, long timeout_ms, void* self);
  void Loop();
  void Accept();
  int WaitMs() const;
  void HandleEvents(int timeout_ms);
  void TakeFinished();
  void Sweep();
  void StartWaiting(Origin& origin);
  void Begin(Transfer& transfer, Origin& origin);
  // Takes it out of curl; the caller still delivers its result.
  void Detach(Transfer& transfer);
  void Retire(CURL* easy);

  const EngineOptions options_;
  TransferSettings settings_;
  const Clock& clock_ = SystemClock();
  CURLM* multi_ = nullptr;
  Fd epoll_;
  Fd wake_;
  std::thread thread_;

  // The engine thread's own.
  std::vector<Transfer*> running_;
  std::vector<CURL*> idle_;
  std::map<std::string, Origin> origins_;
  int64_t timer_ns_ = -1;  // when curl wants to be called; -1: not
  int64_t next_sweep_ns_ = 0;

  Mutex mutex_;
  std::vector<Transfer*> submitted_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
};

Result<void> Engine::Start() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Error{Code::kInternal, "libcurl can't be initialised"};
  }
  epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  wake_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_.valid() || !wake_.valid()) return ErrnoError(errno, "HTTP engine");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_.get();
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    return ErrnoError(errno, "HTTP engine");
  }
  multi_ = curl_multi_init();
  settings_.share = curl_share_init();
  if (multi_ == nullptr || settings_.share == nullptr) {
    return Error{Code::kUnavailable, "HTTP engine: out of memory"};
  }
  curl_share_setopt(settings_.share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Engine::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Engine::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // By default curl keeps as many as transfers are under way, and closes the others at a lull.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 2L * options_.max_connections_per_host);
  thread_ = std::thread([this] { Loop(); });
  return {};
}

Engine::~Engine() {
  if (thread_.joinable()) {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    eventfd_write(wake_.get(), 1);
    thread_.join();
  }
  for (CURL* easy : idle_) curl_easy_cleanup(easy);
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  if (settings_.share != nullptr) curl_share_cleanup(settings_.share);
  curl_global_cleanup();
}

Result<HttpAnswer> Engine::Send(const HttpRequest& request) {
  ASSIGN_OR_RETURN(std::string origin, OriginOf(request.url));
  Transfer transfer(request, std::move(origin), clock_);
  {
    MutexLock lock(mutex_);
    if (stopping_) return Error{Code::kCancelled, "the HTTP engine is ending"};
    submitted_.push_back(&transfer);
  }
  eventfd_write(wake_.get(), 1);
  return transfer.Await();
}

int Engine::OnSocket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
  auto& engine = *static_cast<Engine*>(self);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(engine.epoll_.get(), EPOLL_CTL_DEL, socket, nullptr);
    curl_multi_assign(engine.multi_, socket, nullptr);
    return 0;
  }
  epoll_event event{};
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  event.data.fd = socket;
  if (known == nullptr || epoll_ctl(engine.epoll_.get(), EPOLL_CTL_MOD, socket, &event) != 0) {
    if (epoll_ctl(engine.epoll_.get(), EPOLL_CTL_ADD, socket, &event) != 0) return -1;
  }
  curl_multi_assign(engine.multi_, socket, self);
  return 0;
}

int Engine::OnTimer(CURLM*, long timeout_ms, void* self) {
  auto& engine = *static_cast<Engine*>(self);
  engine.timer_ns_ =
      timeout_ms < 0 ? -1 : engine.clock_.MonotonicNs() + int64_t{timeout_ms} * 1'000'000;
  return 0;
}

void Engine::Loop() {
  // OpenSSL writes to sockets without MSG_NOSIGNAL, and a program need not have SIGPIPE ignored.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  while (true) {
    HandleEvents(WaitMs());
    if (timer_ns_ >= 0 && clock_.MonotonicNs() >= timer_ns_) {
      timer_ns_ = -1;
      int left = 0;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &left);
    }
    TakeFinished();
    Accept();
    Sweep();
    MutexLock lock(mutex_);
    if (stopping_) return;
  }
}

int Engine::WaitMs() const {
  int64_t until_ns = -1;
  const auto sooner = [&](int64_t at_ns) {
    until_ns = until_ns < 0 ? at_ns : std::min(until_ns, at_ns);
  };
  if (timer_ns_ >= 0) sooner(timer_ns_);
  const bool any = std::any_of(origins_.begin(), origins_.end(), [](const auto& entry) {
    return entry.second.running > 0 || !entry.second.waiting.empty();
  });
  if (any) sooner(next_sweep_ns_);
  if (until_ns < 0) return -1;
  const int64_t left_ns = until_ns - clock_.MonotonicNs();
  return left_ns <= 0 ? 0 : static_cast<int>((left_ns + 999'999) / 1'000'000);
}

void Engine::HandleEvents(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int count =
      epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.fd == wake_.get()) {
      eventfd_t ignored = 0;
      eventfd_read(wake_.get(), &ignored);
      continue;
    }
    int what = 0;
    if ((event.events & (EPOLLIN | EPOLLHUP)) != 0) what |= CURL_CSELECT_IN;
    if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    if ((event.events & EPOLLERR) != 0) what |= CURL_CSELECT_ERR;
    int left = 0;
    curl_multi_socket_action(multi_, event.data.fd, what, &left);
  }
}

void Engine::Accept() {
  std::vector<Transfer*> fresh;
  {
    MutexLock lock(mutex_);
    fresh.swap(submitted_);
  }
  for (Transfer* transfer : fresh) {
    Origin& origin = origins_[transfer->origin()];
    origin.waiting.push_back(transfer);
    StartWaiting(origin);
  }
}

void Engine::StartWaiting(Origin& origin) {
  const int limit = origin.reached ? options_.max_connections_per_host
                                   : std::min(kUntilResolved, options_.max_connections_per_host);
  while (origin.running < limit && !origin.waiting.empty()) {
    Transfer* transfer = origin.waiting.front();
    origin.waiting.pop_front();
    Begin(*transfer, origin);
  }
}

void Engine::Begin(Transfer& transfer, Origin& origin) {
  CURL* easy = nullptr;
  if (idle_.empty()) {
    easy = curl_easy_init();
    if (easy == nullptr) return transfer.Fail({Code::kUnavailable, "HTTP engine: out of memory"});
  } else {
    easy = idle_.back();
    idle_.pop_back();
  }
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kMaxConnectionAgeS);
  if (auto started = transfer.Start(easy, settings_); !started) {
    Retire(easy);
    return transfer.Fail(std::move(started).error());
  }
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) {
    Retire(easy);
    return transfer.Fail({Code::kInternal, "HTTP engine: a transfer can't be added"});
  }
  ++origin.running;
  running_.push_back(&transfer);
}

void Engine::Detach(Transfer& transfer) {
  curl_multi_remove_handle(multi_, transfer.easy());
  Origin& origin = origins_[transfer.origin()];
  --origin.running;
  origin.reached = origin.reached || transfer.connected();
  running_.erase(std::find(running_.begin(), running_.end(), &transfer));
}

void Engine::Retire(CURL* easy) {
  if (idle_.size() >= kMaxIdleHandles) {
    curl_easy_cleanup(easy);
    return;
  }
  curl_easy_reset(easy);
  idle_.push_back(easy);
}

void Engine::TakeFinished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    CURL* easy = message->easy_handle;
    void* transfer_pointer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer_pointer);
    auto& transfer = *static_cast<Transfer*>(transfer_pointer);
    Origin& origin = origins_[transfer.origin()];
    Detach(transfer);
    transfer.Finish(code);  // from here on it may be gone
    Retire(easy);
    StartWaiting(origin);
  }
}

void Engine::Sweep() {
  const int64_t now_ns = clock_.MonotonicNs();
  if (now_ns < next_sweep_ns_) return;
  next_sweep_ns_ = now_ns + kEngineSweepMs * 1'000'000;
  const std::vector<Transfer*> running = running_;
  for (Transfer* transfer : running) {
    std::optional<Error> end = transfer->Sweep();
    Origin& origin = origins_[transfer->origin()];
    origin.reached = origin.reached || transfer->connected();
    if (!end) continue;
    CURL* easy = transfer->easy();
    Detach(*transfer);
    transfer->Fail(*std::move(end));
    Retire(easy);
  }
  for (auto& [name, origin] : origins_) {
    std::erase_if(origin.waiting, [](Transfer* transfer) {
      std::optional<Error> end = transfer->Sweep();
      if (!end) return false;
      transfer->Fail(*std::move(end));
      return true;
    });
    StartWaiting(origin);
  }
}

Result<std::string> CaFile(const EngineOptions& options) {
  std::string path = options.ca_file;
  if (const char* bundle = std::getenv("AWS_CA_BUNDLE"); path.empty() && bundle != nullptr) {
    path = bundle;
  }
  if (!path.empty()) {
    if (auto file = OpenFile(path, O_RDONLY); !file) {
      return Error{Code::kInvalid, "CA file " + std::move(file).error().message};
    }
    return path;
  }
  const char* system = curl_version_info(CURLVERSION_NOW)->cainfo;
  return system != nullptr && access(system, R_OK) == 0 ? std::string(system) : std::string();
}

}  // namespace

Result<std::unique_ptr<HttpSender>> StartHttpEngine(const EngineOptions& options) {
  TransferSettings settings;
  ASSIGN_OR_RETURN(settings.ca_file, CaFile(options));
  settings.user_agent = options.user_agent;
  auto engine = std::make_unique<Engine>(options, std::move(settings));
  TRY(engine->Start());
  return std::unique_ptr<HttpSender>(std::move(engine));
}

}  // namespace llama::aws
