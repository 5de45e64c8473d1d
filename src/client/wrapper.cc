#include "client/wrapper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text/format.h"
#include "client/closed_descriptors.h"
#include "client/connection.h"
#include "client/fallback_slot.h"
#include "client/hung_note.h"
#include "client/invocation.h"
#include "client/peer.h"
#include "client/request.h"
#include "session/environment.h"
#include "session/session.h"
#include "session/socket.h"

namespace llama::client {
namespace {

// The daemon sends a keep-alive every 5 s; one that is silent for this long is taken for dead, or
// for this long if another wrapper has seen it hang.
constexpr int64_t kSilenceMs = 30'000;
constexpr int64_t kNotedSilenceMs = 10'000;
// From then on, and as often, the process is looked at: one that is stopped is not waited for.
constexpr int64_t kLookMs = 1'000;
constexpr int64_t kSendMs = 30'000;
// The slot's descriptor is put out of the way of scripts that use low numbers by hand.
constexpr int kSlotFd = 200;
constexpr int kCommandNotFound = 127;
constexpr int kCannotExecute = 126;

// All of it, also to a pipe that someone has made non-blocking. False: it can't be written.
bool Print(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd entry{fd, POLLOUT, 0};
      poll(&entry, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool IsSet(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

class Wrapper {
 public:
  Wrapper(int64_t start_ns, int64_t start_monotonic_ns, const std::string& build_id,
          Invocation invocation, std::string cwd, const std::array<bool, 3>& closed)
      : start_ns_(start_ns),
        start_monotonic_ns_(start_monotonic_ns),
        build_id_(build_id),
        invocation_(std::move(invocation)),
        cwd_(std::move(cwd)),
        closed_(closed),
        verbose_(IsSet(kVerboseVariable)) {}

  int Run() {
    if (IsSet(kLocalVariable)) return BecomeCompiler({}, "LLAMACC_LOCAL is set");
    if (std::getenv(kSlotVariable) != nullptr) return BecomeCompiler({}, "runs on a held slot");
    if (cwd_.empty()) return BecomeCompiler({}, "no working directory");
    Result<ConnectOptions> options = OptionsFromEnvironment(build_id_);
    if (!options) return BecomeCompiler({}, options.error().message);
    Result<Fd> connection = Connect(*options);
    if (!connection) return GoWithoutDaemon(*options, connection.error().message);
    return Ask(std::move(connection).value(), *options);
  }

 private:
  // Until the daemon says something. kDeadline: it hangs, and that is noted.
  static Result<void> Await(int fd, const ConnectOptions& options) {
    const HungNote note(session::RunDir(options.state_dir));
    const int64_t start_ns = SystemClock().MonotonicNs();
    int64_t silent_ms = 0;
    while (true) {
      pollfd entry{fd, POLLIN, 0};
      const int n = poll(&entry, 1, static_cast<int>(kLookMs));
      if (n > 0) return {};
      if (n < 0 && errno != EINTR) return ErrnoError(errno, "poll");
      silent_ms = (SystemClock().MonotonicNs() - start_ns) / 1'000'000;
      // We may have been stopped ourselves: only a poll that waited in vain is silence.
      if (n < 0) continue;
      if (silent_ms >= kSilenceMs || IsPeerStopped(fd)) break;
      if (silent_ms >= kNotedSilenceMs && note.IsFresh(options.hold_ms)) break;
    }
    note.Write();
    return Error{Code::kDeadline, "the daemon is silent"};
  }

  int Ask(Fd fd, const ConnectOptions& options) {
    Result<void> sent =
        session::SendFrame(fd.get(), session::FrameType::kCompile, Encode(Request()), kSendMs);
    if (!sent) return GoWithoutDaemon(options, sent.error().message);
    while (true) {
      if (const Result<void> said = Await(fd.get(), options); !said) {
        return GoWithoutDaemon(options, said.error().message);
      }
      Result<session::Frame> frame = session::ReceiveFrame(fd.get(), kSilenceMs);
      if (!frame) return GoWithoutDaemon(options, frame.error().message);
      switch (frame->type) {
        case session::FrameType::kKeepAlive:
          continue;
        case session::FrameType::kResult: {
          Result<session::CompileResult> result = session::DecodeCompileResult(frame->body);
          if (!result) return GoWithoutDaemon(options, result.error().message);
          return Deliver(fd, *result);
        }
        case session::FrameType::kRunLocally: {
          Result<session::RunLocally> verdict = session::DecodeRunLocally(frame->body);
          return BecomeCompiler(std::move(fd), verdict ? verdict->reason : "malformed verdict");
        }
        default:
          return GoWithoutDaemon(options, "an unexpected message from the daemon");
      }
    }
  }

  session::Compile Request() const {
    session::Compile request = RequestFor(invocation_, cwd_, closed_);
    request.start_ns = start_ns_;
    request.start_monotonic_ns = start_monotonic_ns_;
    return request;
  }

  int Deliver(const Fd& fd, const session::CompileResult& result) {
    Say("ran remotely");
    const auto on_broken_pipe = signal(SIGPIPE, SIG_IGN);
    const bool is_printed = Print(STDOUT_FILENO, result.out) && Print(STDERR_FILENO, result.err);
    // What becomes of a compiler to which that happens, and of its outputs, is its own affair.
    if (!is_printed) Say("runs locally: what it prints can't be written");
    signal(SIGPIPE, on_broken_pipe);
    if (!is_printed) {
      for (const std::string& file : result.written) unlink(file.c_str());
      return BecomeCompiler({}, {});
    }
    SendDone(fd);
    if (WIFSIGNALED(result.status)) DieOf(WTERMSIG(result.status));
    return WEXITSTATUS(result.status);
  }

  static void SendDone(const Fd& fd) {
    const auto ns = [](const timeval& tv) {
      return int64_t{tv.tv_sec} * 1'000'000'000 + int64_t{tv.tv_usec} * 1000;
    };
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const session::Done done{SystemClock().MonotonicNs(), ns(usage.ru_utime), ns(usage.ru_stime)};
    (void)session::SendFrame(fd.get(), session::FrameType::kDone, Encode(done), 1000).has_value();
  }

  static void DieOf(int sig) {
    // The core, if any, is the remote compiler's; one of the wrapper would only mislead.
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(sig, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    raise(sig);
    _exit(128 + sig);
  }

  int GoWithoutDaemon(const ConnectOptions& options, const std::string& why) {
    FallbackOptions fallback;
    fallback.run_dir = session::RunDir(options.state_dir);
    fallback.slots = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
    return BecomeCompiler(TakeFallbackSlot(fallback), why);
  }

  // `slot`, if valid, stays open in the compiler and all its children: its end frees the slot.
  int BecomeCompiler(Fd slot, std::string_view reason) {
    if (!reason.empty()) Say("runs locally: " + std::string(reason));
    if (slot.valid()) {
      int fd = fcntl(slot.get(), F_DUPFD, kSlotFd);
      // A low limit on descriptors leaves no such number.
      if (fd < 0) fd = fcntl(slot.get(), F_DUPFD, 3);
      setenv(kSlotVariable, "1", 1);
    }
    if (std::getenv("PATH") != nullptr) setenv("PATH", invocation_.path.c_str(), 1);
    std::vector<char*> argv;
    for (std::string& arg : invocation_.argv) argv.push_back(arg.data());
    argv.push_back(nullptr);
    execve(invocation_.program.c_str(), argv.data(), environ);
    const int failed = errno;
    if (failed == ENOEXEC) return RunByShell(argv);
    Complain(ErrnoError(failed, invocation_.program).message);
    return failed == ENOENT ? kCommandNotFound : kCannotExecute;
  }

  // A script without #!: what execvp(3) and every shell do.
  int RunByShell(std::vector<char*> argv) {
    std::string shell = "/bin/sh";
    argv.insert(argv.begin(), shell.data());
    argv[1] = invocation_.program.data();
    execve(shell.c_str(), argv.data(), environ);
    Complain(ErrnoError(errno, invocation_.program).message);
    return kCannotExecute;
  }

  void Say(const std::string& what) const {
    if (verbose_) Complain(Printable(invocation_.argv[0] + ": " + what));
  }
  static void Complain(const std::string& what) { Print(STDERR_FILENO, "llamacc: " + what + "\n"); }

  const int64_t start_ns_;
  const int64_t start_monotonic_ns_;
  const std::string& build_id_;
  Invocation invocation_;
  const std::string cwd_;
  const std::array<bool, 3> closed_;
  const bool verbose_;
};

// `llamacc ccache gcc …`, where a launcher is put before a compiler that has one: ccache comes
// first and asks us for what it lacks, unless it asks another. It parts its prefix at blanks;
// without one it asks the compiler that PATH has. Comes back if there is no ccache to become.
void BecomeCcache(char** argv) {
  const auto self = ReadLink("/proc/self/exe");
  if (self && self->find(' ') == self->npos)
    setenv("CCACHE_PREFIX", self->c_str(), /*overwrite=*/0);
  execvp(argv[1], argv + 1);
}

std::string WorkingDirectory() {
  char cwd[PATH_MAX];
  return getcwd(cwd, sizeof cwd) == nullptr ? std::string() : std::string(cwd);
}

}  // namespace

int RunWrapper(int argc, char** argv, const std::string& build_id) {
  const int64_t start_ns = SystemClock().NowNs();
  const int64_t start_monotonic_ns = SystemClock().MonotonicNs();
  const std::array<bool, 3> closed = HoldClosedDescriptors();
  if (argc > 2 && IsWrapper(BaseName(argv[0])) && BaseName(argv[1]) == "ccache") BecomeCcache(argv);
  std::string cwd = WorkingDirectory();
  Surroundings surroundings;
  surroundings.path = std::getenv("PATH");
  surroundings.local_cc = std::getenv("LLAMACC_LOCAL_CC");
  surroundings.local_cxx = std::getenv("LLAMACC_LOCAL_CXX");
  surroundings.cwd = cwd;
  if (const auto state_dir = StateDir()) surroundings.masquerade = MasqueradeDir(*state_dir);
  Result<Invocation> invocation =
      ResolveInvocation(std::vector<std::string>(argv, argv + argc), surroundings);
  if (!invocation) {
    Print(STDERR_FILENO, invocation.error().message + "\n");
    return kCommandNotFound;
  }
  return Wrapper(start_ns, start_monotonic_ns, build_id, std::move(invocation).value(),
                 std::move(cwd), closed)
      .Run();
}

}  // namespace llama::client
