// The server's loop: events, time and the end.
#include "daemon/server/server.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/log.h"
#include "daemon/server/loop.h"
#include "daemon/server/scrape.h"
#include "session/socket.h"

namespace llama::daemon {
namespace {

using State = Connection::State;

constexpr int64_t kMsNs = 1'000'000;
constexpr int64_t kTickNs = 1'000'000'000;
constexpr int kAcceptsPerEvent = 64;
constexpr mode_t kSocketMode = 0700;

std::string SocketPath(const std::string& run_dir) { return run_dir + "/" + session::kSocketName; }

}  // namespace

Result<std::unique_ptr<Server>> Server::Listen(const ServerOptions& options, Pipeline& pipeline) {
  auto loop = std::make_unique<Loop>(options, pipeline);
  TRY(loop->Listen());
  return std::unique_ptr<Server>(new Server(std::move(loop)));
}

Server::Server(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Server::~Server() = default;
Result<void> Server::Run() { return loop_->Run(); }
void Server::Stop() { loop_->RequestStop(); }

Server::Loop::Loop(const ServerOptions& options, Pipeline& pipeline)
    : options_(options),
      pipeline_(pipeline),
      start_ns_(options.clock->NowNs()),
      last_activity_ns_(options.clock->MonotonicNs()),
      jobs_(std::max(options.max_jobs, 1)) {}

Server::Loop::~Loop() {
  options_.cpu->OnRoom({});
  // Only when Run did not: tests that never ran it.
  if (listener_.valid() && OwnsSocketPath()) unlink(SocketPath(options_.run_dir).c_str());
}

Result<void> Server::Loop::WatchInput(int fd, Id id) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return ErrnoError(errno, "epoll");
  return {};
}

Result<void> Server::Loop::Listen() {
  epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  wake_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_.valid() || !wake_.valid()) return ErrnoError(errno, "epoll");
  // With one thread each, no later task is refused.
  if (!jobs_.Post([] {}) || !after_.Post([] {})) return ErrnoError(EAGAIN, "threads");
  TRY(WatchInput(wake_.get(), kWake));
  if (options_.signal_fd >= 0) TRY(WatchInput(options_.signal_fd, kSignal));
  ASSIGN_OR_RETURN(listener_, session::ListenSocket(options_.run_dir));
  socket_id_ = IdOf(SocketPath(options_.run_dir));
  if (socket_id_ == FileId{}) return ErrnoError(errno, SocketPath(options_.run_dir));
  WatchRunFolder();
  PauseAccepting(false);
  options_.cpu->OnRoom([this] { Wake(); });
  return {};
}

// Without it the tick sees the same, later.
void Server::Loop::WatchRunFolder() {
  Fd folder(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  constexpr uint32_t kGoing =
      IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
  if (!folder.valid() || inotify_add_watch(folder.get(), options_.run_dir.c_str(), kGoing) < 0) {
    return;
  }
  if (WatchInput(folder.get(), kFolder)) folder_ = std::move(folder);
}

void Server::Loop::OnFolderChange() {
  char events[4096];
  while (read(folder_.get(), events, sizeof events) > 0) {
  }
  CheckSocketPath();
}

Result<void> Server::Loop::Run() {
  std::array<epoll_event, 256> events;
  while (!Ended()) {
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), WaitMs());
    if (count < 0 && errno != EINTR) return ErrnoError(errno, "epoll");
    for (int i = 0; i < count; ++i) {
      HandleEvent(events[static_cast<size_t>(i)].data.u64, events[static_cast<size_t>(i)].events);
    }
    const int64_t now_ns = MonotonicNs();
    GrantSlots();
    StartWaitingEnds(count == 0, now_ns);
    OnTick(now_ns);
    if (stopping_) AdvanceStop(now_ns);
  }
  const bool settled = after_.AwaitIdle(options_.cancel_grace_ms);
  if (orphans_.empty() && settled) return {};
  return Error{Code::kDeadline, std::to_string(orphans_.size()) + " jobs did not end"};
}

void Server::Loop::HandleEvent(Id id, uint32_t events) {
  switch (id) {
    case kListener:
      return Accept();
    case kWake:
      return OnWake();
    case kSignal:
      return OnSignal();
    case kFolder:
      return OnFolderChange();
    default:
      return OnConnectionEvent(id, events);
  }
}

void Server::Loop::OnWake() {
  uint64_t count = 0;
  (void)!read(wake_.get(), &count, sizeof count);
  TakeCompletions();
  bool requested = false;
  {
    const MutexLock lock(mutex_);
    requested = stop_requested_;
  }
  if (requested && !stopping_) BeginStop("told to");
}

void Server::Loop::OnSignal() {
  signalfd_siginfo info{};
  if (read(options_.signal_fd, &info, sizeof info) != sizeof info) return;
  // The second one means now.
  if (stopping_ && !cancelled_) return CancelEverything();
  if (!stopping_) BeginStop("a signal");
}

void Server::Loop::RequestStop() {
  {
    const MutexLock lock(mutex_);
    stop_requested_ = true;
  }
  Wake();
}

void Server::Loop::Wake() {
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
}

void Server::Loop::PauseAccepting(bool pause) {
  if (!listener_.valid() || accepting_ == !pause) return;
  if (pause) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
    accepting_ = false;
  } else {
    accepting_ = WatchInput(listener_.get(), kListener).has_value();
  }
}

void Server::Loop::Accept() {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    // The pipeline's tick is no work that anybody asked for.
    const size_t load =
        connections_.size() + orphans_.size() + after_.pending() - (ticking_ ? 1 : 0);
    if (load >= options_.max_connections) return PauseAccepting(true);
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) {
      // Out of descriptors or memory: the next tick tries again.
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) PauseAccepting(true);
      return;
    }
    if (const Result<void> ours = session::CheckPeer(fd.get()); !ours) {
      LOG(kWarning, ours.error().message);
      continue;
    }
    const Id id = next_id_++;
    if (!WatchInput(fd.get(), id)) continue;
    connections_.emplace(id, Connection(std::move(fd), MonotonicNs()));
  }
}

void Server::Loop::Watch(Id id, Connection& connection) {
  uint32_t events = 0;
  if (!connection.has_ended) events |= EPOLLIN;
  if (connection.has_output()) events |= EPOLLOUT;
  if (connection.watched_events == events) return;
  connection.watched_events = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd(), &event);
}

bool Server::Loop::SendTo(Id id, Connection& connection, std::string frame) {
  if (!connection.Send(std::move(frame))) return false;
  connection.last_sent_ns = MonotonicNs();
  Watch(id, connection);
  return true;
}

void Server::Loop::OnConnectionEvent(Id id, uint32_t events) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if ((events & EPOLLOUT) != 0) {
    const bool written = connection.Flush();
    if (!written || (connection.state == State::kRefused && !connection.has_output())) {
      return Close(id);
    }
    Watch(id, connection);
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  const bool open = connection.Read();
  if (connection.is_scraper ||
      (connection.state == State::kGreeting && IsHttp(connection.unread()))) {
    // Who has asked may have no more to say, and still listen.
    const bool served = OnScrape(id, connection);
    const bool is_gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (!served || (!open && (is_gone || connection.state == State::kGreeting))) return Close(id);
    connection.has_ended = !open;
    Watch(id, connection);
    return;
  }
  while (true) {
    Result<std::optional<session::Frame>> frame = connection.Next();
    if (!frame) LOG(kWarning, "connection " + std::to_string(id) + ": " + frame.error().message);
    if (!frame) return Close(id);
    if (!*frame) break;
    if (!OnFrame(id, connection, **std::move(frame))) return Close(id);
  }
  if (!open) Close(id);
}

int Server::Loop::WaitMs() const {
  if (!waiting_ends_.empty() && orphans_.empty()) return 0;
  int64_t ms = std::min({kTickNs / kMsNs, RoundNs() / kMsNs, options_.idle_timeout_ms,
                         options_.cpu->patience_ms() / 2});
  if (stopping_) ms = std::min({ms, options_.stop_grace_ms, options_.cancel_grace_ms, int64_t{20}});
  return static_cast<int>(std::max<int64_t>(ms, 1));
}

void Server::Loop::OnTick(int64_t now_ns) {
  LookAround(now_ns);
  const bool quiet =
      connections_.empty() && orphans_.empty() && !stopping_ && after_.pending() == 0;
  if (quiet && now_ns - last_activity_ns_ >= options_.idle_timeout_ms * kMsNs) BeginStop("idle");
  if (now_ns - last_tick_ns_ < kTickNs) return;
  last_tick_ns_ = now_ns;
  PauseAccepting(false);
  AbandonBuilds(now_ns);
  CheckSocketPath();
  // Wrappers that left us alone because we did not answer may ask again.
  if (!socket_lost_) unlink((options_.run_dir + "/" + session::kHungName).c_str());
  if (!ticking_.exchange(true)) {
    const bool posted = after_.Post([this] {
      pipeline_.Tick();
      ticking_ = false;
    });
    if (!posted) ticking_ = false;
  }
}

// All connections are looked at in rounds, not on each pass of the loop: of which there may be
// thousands a second, with thousands of connections.
int64_t Server::Loop::RoundNs() const {
  return std::min(options_.keep_alive_ms, options_.greeting_ms) * kMsNs / 4;
}

// Sends what keeps a waiting wrapper patient; closes what connected and says nothing.
void Server::Loop::LookAround(int64_t now_ns) {
  if (now_ns - last_round_ns_ < RoundNs()) return;
  last_round_ns_ = now_ns;
  std::vector<Id> closing;
  for (auto& [id, connection] : connections_) {
    if ((connection.state == State::kGreeting || connection.is_scraper) &&
        now_ns - connection.since_ns > options_.greeting_ms * kMsNs) {
      closing.push_back(id);
    }
    const bool waits = connection.state == State::kRunning || connection.state == State::kWaiting;
    if (!waits || connection.has_output() ||
        now_ns - connection.last_sent_ns < options_.keep_alive_ms * kMsNs) {
      continue;
    }
    if (!SendTo(id, connection, session::EncodeFrame(session::FrameType::kKeepAlive, {}))) {
      closing.push_back(id);
    }
  }
  for (const Id id : closing) Close(id);
}

bool Server::Loop::OwnsSocketPath() const {
  return IdOf(SocketPath(options_.run_dir)) == socket_id_;
}

void Server::Loop::CheckSocketPath() {
  if (stopping_) return;
  if (!socket_lost_ && !OwnsSocketPath()) {
    socket_lost_ = true;
    LOG(kWarning, SocketPath(options_.run_dir) + " is gone or another's: ending when idle");
    if (options_.on_socket_lost) options_.on_socket_lost();
  }
  if (socket_lost_ && Idle()) BeginStop("its socket is gone");
  // One that is closed to its own user would keep all wrappers out while it is there.
  const std::string path = SocketPath(options_.run_dir);
  struct stat st {};
  if (!socket_lost_ && stat(path.c_str(), &st) == 0 && (st.st_mode & kSocketMode) != kSocketMode) {
    (void)chmod(path.c_str(), kSocketMode);
  }
}

bool Server::Loop::Idle() const {
  return orphans_.empty() &&
         std::all_of(connections_.begin(), connections_.end(), [](const auto& entry) {
           const State state = entry.second.state;
           return entry.second.observer || state == State::kGreeting || state == State::kRefused ||
                  state == State::kStopping;
         });
}

void Server::Loop::BeginStop(const char* why) {
  if (stopping_) return;
  LOG(kInfo, std::string("stopping: ") + why);
  // The path first: who finds the socket closed must not find it there again.
  if (OwnsSocketPath()) unlink(SocketPath(options_.run_dir).c_str());
  PauseAccepting(true);
  listener_.Reset();
  stopping_ = true;
  stop_ns_ = MonotonicNs();
  CloseIdleConnections();
}

// Wrappers that are closed before they have their answer run their compiler.
void Server::Loop::CloseIdleConnections() {
  std::vector<Id> idle;
  for (const auto& [id, connection] : connections_) {
    if (connection.state == State::kGreeting || connection.state == State::kWelcomed) {
      idle.push_back(id);
    }
  }
  for (const Id id : idle) Close(id);
}

void Server::Loop::AdvanceStop(int64_t now_ns) {
  CloseIdleConnections();
  if (!cancelled_ && now_ns - stop_ns_ >= options_.stop_grace_ms * kMsNs) CancelEverything();
}

void Server::Loop::CancelEverything() {
  cancelled_ = true;
  cancel_ns_ = MonotonicNs();
  std::vector<Id> ids;
  for (const auto& [id, connection] : connections_) {
    if (connection.state != State::kStopping) ids.push_back(id);
  }
  LOG(kInfo, "cancelling " + std::to_string(ids.size()) + " connections");
  for (const Id id : ids) Close(id);
}

bool Server::Loop::Ended() const {
  if (!stopping_) return false;
  if (cancelled_ && MonotonicNs() - cancel_ns_ >= options_.cancel_grace_ms * kMsNs) return true;
  return Idle();
}

}  // namespace llama::daemon
