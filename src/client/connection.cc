#include "client/connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/clock.h"
#include "base/file.h"
#include "base/own_dir.h"
#include "client/daemon_start.h"
#include "client/hung_note.h"
#include "client/peer.h"
#include "session/session.h"
#include "session/socket.h"

namespace llama::client {
namespace {

constexpr uint32_t kMaxGreetingBytes = 64 << 10;
// How long a daemon that hung is given to say that it does no more; nobody else waits meanwhile.
constexpr int64_t kProbeMs = 1'000;
// Of ours that turned out to be of another build. One may have been replaced by another wrapper's.
constexpr int kMaxStrangers = 2;
// How often, while it says nothing, it is looked at whether it is stopped.
constexpr int64_t kLookMs = 500;

class Connector {
 public:
  explicit Connector(const ConnectOptions& options)
      : options_(options),
        run_dir_(session::RunDir(options.state_dir)),
        hung_(run_dir_),
        end_ns_(SystemClock().MonotonicNs() + options.timeout_ms * 1'000'000) {}

  Result<Fd> Run() {
    const bool heeds_note = !options_.build_id.empty() && !options_.retry_failed;
    const auto advice = heeds_note ? hung_.Read(options_.hold_ms) : HungNote::Advice::kAsk;
    if (advice == HungNote::Advice::kLeave) {
      return Error{Code::kUnavailable, run_dir_ + ": the daemon did not answer a moment ago"};
    }
    greeting_ms_ = advice == HungNote::Advice::kProbe ? kProbeMs : options_.timeout_ms;
    Result<Fd> fd = Search();
    if (fd && advice == HungNote::Advice::kProbe) hung_.Remove();
    if (!fd && fd.error().code == Code::kDeadline) hung_.Write();
    return fd;
  }

 private:
  Result<Fd> Search() {
    for (int round = 0; LeftMs() > 0; ++round) {
      Result<Fd> fd = session::ConnectSocket(run_dir_);
      if (fd) {
        Result<Fd> greeted = Greet(std::move(fd).value());
        // Its socket may be there until it is gone; it has hung up, so it does not accept.
        if (greeted || greeted.error().code != Code::kNotFound) return greeted;
        if (starts_ >= kMaxStrangers) return NoteStranger();
      } else if (fd.error().code != Code::kNotFound) {
        return fd;
      }
      if (!options_.start) return Error{Code::kNotFound, run_dir_ + ": no daemon runs"};
      ASSIGN_OR_RETURN(const bool tried, StartUnderLock());
      if (!tried) Pause(round);
    }
    return Error{Code::kDeadline, run_dir_ + ": no daemon within the time allowed"};
  }

  int64_t LeftMs() const { return (end_ns_ - SystemClock().MonotonicNs()) / 1'000'000; }

  // Another process is starting the daemon, or an old one is on its way out.
  void Pause(int round) const { poll(nullptr, 0, std::min(5 << std::min(round, 3), 40)); }

  // kNotFound: it is going away (an idle daemon of another build, or one that is just stopping).
  Result<Fd> Greet(Fd fd) const {
    const std::string hello = Encode(session::Hello{session::kProtocolVersion, options_.build_id});
    const int64_t timeout_ms = std::min(LeftMs(), greeting_ms_);
    Result<void> sent = session::SendFrame(fd.get(), session::FrameType::kHello, hello, timeout_ms);
    if (!sent) return Gone(std::move(sent).error());
    TRY(AwaitGreeting(fd.get(), timeout_ms));
    Result<session::Frame> answer = session::ReceiveFrame(fd.get(), timeout_ms, kMaxGreetingBytes);
    if (!answer) return Gone(std::move(answer).error());
    if (answer->type == session::FrameType::kWelcome) return fd;
    if (answer->type != session::FrameType::kRefuse) {
      return Error{Code::kInvalid, run_dir_ + ": the daemon answered with something else"};
    }
    ASSIGN_OR_RETURN(const session::Refuse refuse, session::DecodeRefuse(answer->body));
    if (refuse.busy) {
      return Error{Code::kUnavailable, run_dir_ + ": a daemon of another build is busy"};
    }
    if (!options_.start) {
      return Error{Code::kUnavailable, run_dir_ + ": a daemon of another build was running"};
    }
    return Error{Code::kNotFound, run_dir_ + ": a daemon of another build gives way"};
  }

  // Until something comes. kDeadline: nothing did, or whoever should say it is stopped.
  Result<void> AwaitGreeting(int fd, int64_t timeout_ms) const {
    for (int64_t waited_ms = 0; waited_ms < timeout_ms; waited_ms += kLookMs) {
      pollfd entry{fd, POLLIN, 0};
      const int wait_ms = static_cast<int>(std::min(kLookMs, timeout_ms - waited_ms));
      if (poll(&entry, 1, wait_ms) != 0) return {};
      if (IsPeerStopped(fd)) break;
    }
    return Error{Code::kDeadline, run_dir_ + ": the daemon is silent"};
  }

  static Error Gone(Error error) {
    // A hang-up in the middle of the greeting is a daemon that stops.
    if (error.code == Code::kUnavailable) error.code = Code::kNotFound;
    return error;
  }

  // False if another process holds the lock.
  Result<bool> StartUnderLock() {
    ASSIGN_OR_RETURN(const Fd dir, session::OpenRunDir(run_dir_, /*create=*/true));
    const std::string path = run_dir_ + "/start.lock";
    ASSIGN_OR_RETURN(const Fd lock, OpenOwnFile(path, O_RDWR | O_CREAT, 0600));
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK || errno == EINTR) return false;
      return ErrnoError(errno, path);
    }
    // The one before us may have started it since we looked.
    if (session::ConnectSocket(run_dir_)) return true;
    TRY(CheckFailedBefore(lock.get()));
    Result<void> started = StartDaemon(options_.daemon_program, options_.state_dir, LeftMs());
    if (!started) {
      WriteMonotonicTime(lock.get(), started.error().message);
      return std::move(started).error();
    }
    if (ftruncate(lock.get(), 0) != 0) return ErrnoError(errno, path);
    ++starts_;
    return true;
  }

  // Else each compile would have daemons come and go for as long as it may wait.
  Error NoteStranger() const {
    const std::string what = options_.daemon_program +
                             " is of another build than this wrapper, or one of another build "
                             "shares the state folder; install both from one build";
    const Result<Fd> lock = OpenOwnFile(run_dir_ + "/start.lock", O_RDWR | O_CREAT, 0600);
    if (lock) WriteMonotonicTime(lock->get(), what);
    return {Code::kUnavailable, what};
  }

  Result<void> CheckFailedBefore(int fd) const {
    if (options_.retry_failed || !IsRecent(fd, options_.hold_ms)) return {};
    return Error{Code::kUnavailable, WordAt(fd) + " (a moment ago)"};
  }

  const ConnectOptions& options_;
  const std::string run_dir_;
  HungNote hung_;
  const int64_t end_ns_;
  int64_t greeting_ms_ = 0;
  int starts_ = 0;  // of daemons, by this one
};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Result<std::string> StateDir() {
  std::string dir = Variable("LLAMA_DIR");
  if (dir.empty()) {
    if (const std::string state = Variable("XDG_STATE_HOME"); !state.empty()) {
      dir = state + "/llama";
    } else if (const std::string home = Variable("HOME"); !home.empty()) {
      dir = home + "/.local/state/llama";
    } else {
      return Error{Code::kNotFound, "none of LLAMA_DIR, XDG_STATE_HOME and HOME is set"};
    }
  }
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  if (dir.front() == '/') return dir;
  char cwd[4096];
  if (getcwd(cwd, sizeof cwd) == nullptr) return ErrnoError(errno, "working directory");
  return JoinPath(cwd, dir);
}

std::string MasqueradeDir(const std::string& state_dir) {
  return JoinPath(state_dir, "masquerade");
}

Result<ConnectOptions> OptionsFromEnvironment(std::string build_id) {
  ConnectOptions options;
  ASSIGN_OR_RETURN(options.state_dir, StateDir());
  ASSIGN_OR_RETURN(const std::string dir, ExecutableDir());
  options.daemon_program = JoinPath(dir, "llama");
  options.build_id = std::move(build_id);
  return options;
}

Result<Fd> Connect(const ConnectOptions& options) { return Connector(options).Run(); }

}  // namespace llama::client
