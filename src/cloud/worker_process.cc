#include "cloud/worker_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include "base/clock.h"
#include "base/file.h"

namespace llama::cloud {
namespace {

constexpr int kWorkerSocket = 3;
constexpr unsigned kCloseRangeCloexec = 1u << 2;

// Prepared before vfork: after it only async-signal-safe calls.
struct ChildPlan {
  char* const* argv;
  char* const* env;
  int socket, log, status;
};

[[noreturn]] void ChildMain(const ChildPlan& plan) {
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  // Out of the way first: a target may be the number of another source.
  const int socket = fcntl(plan.socket, F_DUPFD_CLOEXEC, 100);
  const int log = fcntl(plan.log, F_DUPFD_CLOEXEC, 100);
  const int status = fcntl(plan.status, F_DUPFD_CLOEXEC, 100);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null, 0);
  dup2(log, 1);
  dup2(log, 2);
  dup2(socket, kWorkerSocket);
  // Every descriptor of ours is close-on-exec by itself; this is for what a library has opened.
  syscall(SYS_close_range, kWorkerSocket + 1, ~0u, kCloseRangeCloexec);
  (void)!chdir("/");
  execvpe(plan.argv[0], plan.argv, plan.env);
  const int failed = errno;
  (void)!write(status, &failed, sizeof failed);
  _exit(127);
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

// The session of a process and whether it still runs, from /proc/<pid>/stat: "pid (name) state ppid
// pgrp session …", where the name may hold anything.
bool RunsInSession(const std::string& pid, pid_t session) {
  const Result<std::string> stat = ReadFile("/proc/" + pid + "/stat", 4096);
  if (!stat) return false;
  const size_t name_end = stat->rfind(") ");
  if (name_end == std::string::npos || name_end + 2 >= stat->size()) return false;
  const char state = (*stat)[name_end + 2];
  size_t at = name_end + 2;
  for (int field = 0; field < 3; ++field) {
    at = stat->find(' ', at);
    if (at == std::string::npos) return false;
    ++at;
  }
  pid_t found = 0;
  std::from_chars(stat->data() + at, stat->data() + stat->size(), found);
  return found == session && state != 'Z' && state != 'X';
}

// Kills what runs in the session; false if nothing did.
bool KillSession(pid_t session) {
  const Result<std::vector<std::string>> names = ListDir("/proc");
  if (!names) return false;
  bool any = false;
  for (const std::string& name : *names) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (RunsInSession(name, session) && kill(pid, SIGKILL) == 0) any = true;
  }
  return any;
}

// Waits until the process is a zombie; it stays one, and so its number stays its own.
// `handle` is its pidfd.
bool AwaitEnd(pid_t pid, const Fd& handle, int64_t timeout_ms) {
  const int64_t deadline_ns = SystemClock().MonotonicNs() + timeout_ms * 1'000'000;
  while (true) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == pid) {
      return true;
    }
    const int64_t left_ms = (deadline_ns - SystemClock().MonotonicNs() + 999'999) / 1'000'000;
    if (left_ms <= 0) return false;
    pollfd fd = {handle.get(), POLLIN, 0};
    // Kernels before 5.3 have no such handle: look again soon.
    poll(&fd, 1, static_cast<int>(handle.valid() ? left_ms : std::min<int64_t>(left_ms, 5)));
  }
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Spawn(const SpawnOptions& options) {
  const std::vector<char*> argv = Pointers(options.argv);
  const std::vector<char*> env = Pointers(options.env);
  ASSIGN_OR_RETURN(const Fd log,
                   OpenFile(options.log_path, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC, 0600));
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return ErrnoError(errno, "pipe");
  const Fd read_end(pipe_fds[0]);
  Fd write_end(pipe_fds[1]);
  const ChildPlan plan{argv.data(), env.data(), options.socket, log.get(), write_end.get()};
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  const pid_t pid = vfork();
  if (pid == 0) ChildMain(plan);
  const int fork_errno = errno;
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  if (pid < 0) return ErrnoError(fork_errno, "fork");
  write_end.Reset();
  std::unique_ptr<WorkerProcess> process(new WorkerProcess(pid));
  int exec_errno = 0;
  if (read(read_end.get(), &exec_errno, sizeof exec_errno) == sizeof exec_errno) {
    process->End(0);
    return ErrnoError(exec_errno, options.argv[0]);
  }
  return process;
}

WorkerProcess::WorkerProcess(pid_t pid)
    : pid_(pid), handle_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

WorkerProcess::~WorkerProcess() { End(0); }

bool WorkerProcess::HasEnded() const { return reaped_ || AwaitEnd(pid_, handle_, 0); }

void WorkerProcess::End(int64_t grace_ms) {
  if (reaped_) return;
  if (!AwaitEnd(pid_, handle_, grace_ms)) {
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    // Only a process stuck in the kernel takes longer; it is then left to init.
    (void)AwaitEnd(pid_, handle_, 10'000);
  }
  constexpr int kSweeps = 100;
  for (int sweep = 0; sweep < kSweeps && KillSession(pid_); ++sweep) poll(nullptr, 0, 2);
  while (waitpid(pid_, &status_, WNOHANG) < 0 && errno == EINTR) {
  }
  reaped_ = true;
}

std::string WorkerProcess::Fate() const {
  if (WIFSIGNALED(status_)) {
    const int number = WTERMSIG(status_);
    return "killed by signal " + std::to_string(number) + " (" + sigdescr_np(number) + ")";
  }
  return "exited with status " + std::to_string(WEXITSTATUS(status_));
}

}  // namespace llama::cloud
