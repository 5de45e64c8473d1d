#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

namespace llama {
namespace {

constexpr int kPollMs = 20;
// For a process that is asked to end, before it is killed.
constexpr int64_t kAskedMs = 100;

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoError(errno, "pipe");
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

// What the child needs, prepared before fork: between fork and exec only async-signal-safe calls.
struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* env;
  const char* cwd;
  const std::pair<int, int>* keep;
  size_t keep_count;
  mode_t umask;
  int in, out, err, status;
  pid_t parent;
};

// Descriptors are first moved out of the way (above 100), then put in place: a target may be the
// number of another source.
[[noreturn]] void ChildMain(const ChildPlan& plan) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  int failed = 0;
  const int out = fcntl(plan.out, F_DUPFD_CLOEXEC, 100);
  const int err = fcntl(plan.err, F_DUPFD_CLOEXEC, 100);
  const int status = fcntl(plan.status, F_DUPFD_CLOEXEC, 100);
  std::array<int, 8> moved{};
  for (size_t i = 0; i < plan.keep_count; ++i) {
    moved[i] = fcntl(plan.keep[i].first, F_DUPFD_CLOEXEC, 100);
  }
  const int null = plan.in >= 0 ? -1 : ::open("/dev/null", O_RDONLY);
  if (plan.in >= 0) {
    dup2(plan.in, 0);
    // Equal numbers: dup2 left close-on-exec as it was.
    if (plan.in == 0) fcntl(0, F_SETFD, 0);
  } else if (null >= 0) {
    dup2(null, 0);
    if (null > 2) ::close(null);
  } else {
    ::close(0);
  }
  dup2(out, 1);
  dup2(err, 2);
  for (size_t i = 0; i < plan.keep_count; ++i) dup2(moved[i], plan.keep[i].second);
  umask(plan.umask);
  if (plan.cwd[0] != '\0' && chdir(plan.cwd) != 0) {
    failed = errno;
  } else {
    execve(plan.program, plan.argv, plan.env);
    failed = errno;
  }
  (void)!::write(status, &failed, sizeof failed);
  _exit(127);
}

// Signals are held until the child runs ChildMain: a handler must not run in it on our stack. A
// function of its own, so that nothing of the caller's lives in registers across vfork.
[[gnu::noinline]] pid_t StartChild(const ChildPlan& plan) {
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  const pid_t pid = vfork();
  if (pid == 0) ChildMain(plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  errno = error;
  return pid;
}

int64_t Ns(const timeval& tv) { return int64_t{tv.tv_sec} * 1'000'000'000 + tv.tv_usec * 1000; }

// Waits for the child within `deadline`; kills the group when told to stop.
class Supervisor {
 public:
  Supervisor(const ProcessOptions& options, pid_t pid) : options_(options), pid_(pid) {
    start_ns_ = SystemClock().MonotonicNs();
    if (options.timeout_ms > 0) deadline_ns_ = start_ns_ + options.timeout_ms * 1'000'000;
  }

  // Drains both pipes until they close or something stops the run.
  Result<void> Drain(int out_fd, int err_fd, ProcessResult& result) {
    std::array<pollfd, 2> fds = {pollfd{out_fd, POLLIN, 0}, pollfd{err_fd, POLLIN, 0}};
    std::array<std::string*, 2> into = {&result.out, &result.err};
    std::string chunk(65536, '\0');
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
      TRY(CheckStop());
      if (poll(fds.data(), fds.size(), PollMs()) < 0 && errno != EINTR) {
        return ErrnoError(errno, "poll");
      }
      for (size_t i = 0; i < fds.size(); ++i) {
        if (fds[i].fd < 0 || fds[i].revents == 0) continue;
        const ssize_t n = ::read(fds[i].fd, chunk.data(), chunk.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
          fds[i].fd = -1;
          continue;
        }
        into[i]->append(chunk, 0, static_cast<size_t>(n));
        if (into[i]->size() > options_.max_output_bytes) {
          return Error{Code::kInvalid, options_.program + ": too much output"};
        }
      }
    }
    return {};
  }

  // The pipes may close before the process ends; a grandchild may hold them after.
  Result<void> Wait(ProcessResult& result) {
    rusage usage{};
    while (true) {
      const bool may_block = !options_.cancelled && deadline_ns_ == 0;
      const pid_t done = wait4(pid_, &result.status, may_block ? 0 : WNOHANG, &usage);
      if (done == pid_) break;
      if (done < 0 && errno != EINTR) return ErrnoError(errno, "wait");
      TRY(CheckStop());
      if (done == 0) poll(nullptr, 0, 1);
    }
    reaped_ = true;
    result.usage.wall_ns = SystemClock().MonotonicNs() - start_ns_;
    result.usage.user_ns = Ns(usage.ru_utime);
    result.usage.system_ns = Ns(usage.ru_stime);
    result.usage.max_rss_bytes = int64_t{usage.ru_maxrss} * 1024;
    return {};
  }

  // Asked first: a compiler removes its temporary files then.
  void Kill() {
    if (reaped_) return;
    kill(-pid_, SIGTERM);
    const int64_t end_ns = SystemClock().MonotonicNs() + kAskedMs * 1'000'000;
    siginfo_t ended{};
    // Left unreaped, so that its number stays its group's.
    while (waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid != pid_ && SystemClock().MonotonicNs() < end_ns) {
      poll(nullptr, 0, 1);
    }
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
  }

 private:
  int PollMs() const {
    if (options_.cancelled) return kPollMs;
    if (deadline_ns_ == 0) return -1;
    const int64_t left_ms = (deadline_ns_ - SystemClock().MonotonicNs()) / 1'000'000;
    return static_cast<int>(std::clamp<int64_t>(left_ms + 1, 1, 1'000'000));
  }

  Result<void> CheckStop() const {
    if (options_.cancelled && options_.cancelled()) {
      return Error{Code::kCancelled, options_.program + ": cancelled"};
    }
    if (deadline_ns_ != 0 && SystemClock().MonotonicNs() >= deadline_ns_) {
      return Error{Code::kDeadline, options_.program + ": no end after " +
                                        std::to_string(options_.timeout_ms) + " ms"};
    }
    return {};
  }

  const ProcessOptions& options_;
  pid_t pid_;
  int64_t start_ns_ = 0;
  int64_t deadline_ns_ = 0;
  bool reaped_ = false;
};

}  // namespace

int ProcessResult::ExitCode() const {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<ProcessResult> RunProcess(const ProcessOptions& options) {
  CHECK(options.keep_fds.size() <= 8);
  ASSIGN_OR_RETURN(Pipe out, MakePipe());
  ASSIGN_OR_RETURN(Pipe err, MakePipe());
  ASSIGN_OR_RETURN(Pipe status, MakePipe());
  const std::vector<char*> argv = Pointers(options.argv);
  const std::vector<char*> env = Pointers(options.env);
  const ChildPlan plan{options.program.c_str(),
                       argv.data(),
                       env.data(),
                       options.cwd.c_str(),
                       options.keep_fds.data(),
                       options.keep_fds.size(),
                       options.umask,
                       options.stdin_fd,
                       out.write.get(),
                       err.write.get(),
                       status.write.get(),
                       getpid()};
  const pid_t pid = StartChild(plan);
  if (pid < 0) return ErrnoError(errno, "fork");

  setpgid(pid, pid);
  Supervisor supervisor(options, pid);
  out.write.Reset();
  err.write.Reset();
  status.write.Reset();
  int exec_errno = 0;
  if (::read(status.read.get(), &exec_errno, sizeof exec_errno) == sizeof exec_errno) {
    supervisor.Kill();
    return ErrnoError(exec_errno, options.program);
  }
  if (options.on_start) options.on_start(pid);
  ProcessResult result;
  Result<void> ran = supervisor.Drain(out.read.get(), err.read.get(), result);
  if (ran) ran = supervisor.Wait(result);
  if (!ran) supervisor.Kill();
  if (options.on_start) options.on_start(0);
  if (!ran) return std::move(ran).error();
  return result;
}

}  // namespace llama
