#include "llama/run/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/clock.h"
#include "base/fd.h"
#include "llama/build/output_taps.h"
#include "llama/build/relay.h"

namespace llama::app {
namespace {

constexpr std::array<int, 6> kSignals = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD, SIGWINCH};

constexpr int kLastReads = 64;

// Blocks the signals that matter and gives them as reads of a descriptor, while it lives.
class Signals {
 public:
  static Result<Signals> Block() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : kSignals) sigaddset(&set, signal);
    Signals signals;
    // Inherited as ignored, it would take the child's status away.
    std::signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &set, &signals.before_);
    signals.fd_ = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals.fd_.valid()) {
      const Error error = ErrnoError(errno, "signalfd");
      signals.Restore();
      return error;
    }
    return signals;
  }

  void Restore() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  sigset_t before_{};
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void BecomeCommand(const RunOptions& options, const Signals& signals, int error_fd,
                                char** argv, char** env) {
  if (options.relay != nullptr) {
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      if (isatty(fd) == 1) dup2(options.relay->command_end(), fd);
    }
  }
  if (options.taps != nullptr) options.taps->TakeInCommand();
  signals.Restore();
  environ = env;
  execvp(argv[0], argv);
  const int error = errno;
  (void)!write(error_fd, &error, sizeof error);
  _exit(127);
}

Result<pid_t> Spawn(const RunOptions& options, const Signals& signals) {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) return ErrnoError(errno, "pipe");
  const Fd read_end(fds[0]);
  Fd write_end(fds[1]);
  std::vector<char*> argv = Pointers(options.command);
  std::vector<char*> env = Pointers(options.env);
  const pid_t pid = fork();
  if (pid < 0) return ErrnoError(errno, "fork");
  if (pid == 0) BecomeCommand(options, signals, write_end.get(), argv.data(), env.data());
  write_end.Reset();
  int error = 0;
  ssize_t n = 0;
  do {
    n = read(read_end.get(), &error, sizeof error);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return pid;
  waitpid(pid, nullptr, 0);
  return ErrnoError(error, options.command[0]);
}

// Passes on what was sent to us alone; the terminal sends to the whole group. `child` is 0 when
// there is none any more. Whether one came that ends commands.
bool HandleSignals(const Signals& signals, pid_t child, const RunOptions& options) {
  Relay* relay = options.relay;
  bool ends = false;
  signalfd_siginfo info{};
  while (read(signals.fd(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGWINCH && relay != nullptr) relay->FollowSize();
    const bool is_ours = signal == SIGWINCH || signal == SIGCHLD;
    const bool was_sent = info.ssi_code <= 0;
    ends = ends || !is_ours;
    if (!is_ours && options.interrupted) options.interrupted();
    if (!is_ours && was_sent && child != 0) kill(child, signal);
  }
  return ends;
}

struct Ended {
  int status = 0;  // as waitpid gives it
  bool was_interrupted = false;
};

Ended Supervise(const RunOptions& options, const Signals& signals, pid_t child) {
  Ended ended;
  Relay* relay = options.relay;
  int64_t next_tick_ns = SystemClock().MonotonicNs();
  while (true) {
    if (waitpid(child, &ended.status, WNOHANG) == child) return ended;
    const int64_t now_ns = SystemClock().MonotonicNs();
    if (now_ns >= next_tick_ns) {
      if (options.tick) options.tick();
      next_tick_ns = SystemClock().MonotonicNs() + options.tick_ms * 1'000'000;
    }
    std::array<pollfd, 4> waiting = {{{signals.fd(), POLLIN, 0},
                                      {relay != nullptr ? relay->fd() : -1, POLLIN, 0},
                                      {-1, 0, 0},
                                      {-1, 0, 0}}};
    if (options.taps != nullptr) {
      const auto taps = options.taps->Waiting();
      std::copy(taps.begin(), taps.end(), waiting.begin() + 2);
    }
    const int64_t left_ns = next_tick_ns - SystemClock().MonotonicNs();
    const auto timeout_ms = static_cast<int>(left_ns > 0 ? left_ns / 1'000'000 + 1 : 0);
    poll(waiting.data(), waiting.size(), timeout_ms);
    if (HandleSignals(signals, child, options)) ended.was_interrupted = true;
    if (waiting[1].revents != 0) relay->Pump();
    if (waiting[2].revents != 0 || waiting[3].revents != 0) options.taps->Pump();
  }
}

// What the command wrote, to its reader; if that takes its time, until a signal comes.
void PassOnRest(const RunOptions& options, const Signals& signals, bool was_interrupted) {
  OutputTaps& taps = *options.taps;
  taps.CommandEnded();
  taps.Pump();
  while (taps.HasMore() && !was_interrupted) {
    const auto outputs = taps.Waiting();
    std::array<pollfd, 3> waiting = {{{signals.fd(), POLLIN, 0}, outputs[0], outputs[1]}};
    poll(waiting.data(), waiting.size(), -1);
    was_interrupted = HandleSignals(signals, 0, options);
    taps.Pump();
  }
  taps.Finish();
}

}  // namespace

Result<int> RunCommand(const RunOptions& options) {
  ASSIGN_OR_RETURN(const Signals signals, Signals::Block());
  const Result<pid_t> child = Spawn(options, signals);
  if (options.relay != nullptr) options.relay->CloseCommandEnd();
  if (options.taps != nullptr) options.taps->CloseCommandEnds();
  if (!child) {
    signals.Restore();
    return child.error();
  }
  // Whoever reads what we pass on may go away; the command hears of it as it would have without us.
  const auto on_broken_pipe = std::signal(SIGPIPE, SIG_IGN);
  const Ended ended = Supervise(options, signals, *child);
  if (options.relay != nullptr) {
    // What the command left behind in the background may write for ever.
    for (int reads = 0; reads < kLastReads && options.relay->Pump(); ++reads) continue;
    options.relay->Erase();
  }
  if (options.taps != nullptr) PassOnRest(options, signals, ended.was_interrupted);
  std::signal(SIGPIPE, on_broken_pipe);
  // What is pending was meant for the build that has ended.
  HandleSignals(signals, 0, options);
  signals.Restore();
  return ended.status;
}

void HoldSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

int EndLike(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  const int signal = WTERMSIG(status);
  // The command has dumped core already if it was to.
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  std::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  raise(signal);
  return 128 + signal;
}

}  // namespace llama::app
