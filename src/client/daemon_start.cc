#include "client/daemon_start.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"

namespace llama::client {
namespace {

constexpr int kReadyFd = 3;

// What belongs to the make that happens to come first, not to a process that outlives it. The
// function is a setting of the daemon as well as of each wrapper.
bool StaysBehind(std::string_view entry) {
  if (entry.starts_with("LLAMACC_FUNCTION=")) return false;
  for (const std::string_view name :
       {"MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=", "LLAMACC_",
        "LLAMA_DIR=", "TRACEPARENT=", "PWD=", "OLDPWD=", "LD_PRELOAD="}) {
    if (entry.starts_with(name)) return true;
  }
  return false;
}

std::vector<std::string> DaemonEnvironment(const std::string& state_dir) {
  std::vector<std::string> env;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (!StaysBehind(*entry)) env.emplace_back(*entry);
  }
  env.push_back("LLAMA_DIR=" + state_dir);
  return env;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the grandchild, between fork and exec: system calls only.
[[noreturn]] void Become(const char* program, char* const* argv, char* const* env, int ready_fd) {
  setsid();
  for (int sig = 1; sig < NSIG; ++sig) signal(sig, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // Above what is put in place below, whatever was closed when we were called.
  const int ready = fcntl(ready_fd, F_DUPFD, 10);
  const int null = open("/dev/null", O_RDWR);
  const int high_null = null >= 0 ? fcntl(null, F_DUPFD, 10) : -1;
  for (int fd = 0; fd < 3; ++fd) {
    if (high_null < 0 || dup2(high_null, fd) < 0) close(fd);
  }
  if (ready < 0 || dup2(ready, kReadyFd) < 0) _exit(127);
  // The jobserver's pipe, make's output: whoever reads them would wait for the daemon's end.
  close_range(kReadyFd + 1, ~0U, 0);
  execve(program, argv, env);
  const int failed = errno;
  (void)!write(kReadyFd, &failed, sizeof failed);
  _exit(127);
}

// The daemon writes "ok" or why not; a failed exec its errno; an early end nothing.
Result<void> AwaitReady(int fd, const std::string& program, int64_t timeout_ms) {
  const int64_t end_ns = SystemClock().MonotonicNs() + timeout_ms * 1'000'000;
  while (true) {
    const int64_t left_ms = (end_ns - SystemClock().MonotonicNs()) / 1'000'000;
    if (left_ms <= 0) return Error{Code::kDeadline, program + ": the daemon is not ready in time"};
    pollfd entry{fd, POLLIN, 0};
    const int n = poll(&entry, 1, static_cast<int>(std::min<int64_t>(left_ms, 1 << 30)));
    if (n < 0 && errno != EINTR) return ErrnoError(errno, "poll");
    if (n <= 0) continue;
    char buffer[PIPE_BUF];
    const ssize_t size = read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    const std::string_view answer(buffer, static_cast<size_t>(std::max<ssize_t>(size, 0)));
    if (answer == "ok") return {};
    // Its own words go without our program's name, which has nothing to do with them.
    const bool says_why = answer.size() > sizeof(int);
    return Error{Code::kUnavailable, says_why ? "the daemon did not start: " + std::string(answer)
                                              : program + ": the daemon did not start"};
  }
}

}  // namespace

Result<void> StartDaemon(const std::string& program, const std::string& state_dir,
                         int64_t timeout_ms) {
  if (access(program.c_str(), X_OK) != 0) return ErrnoError(errno, program);
  std::vector<std::string> args = {"llama", "daemon", "run", "--ready-fd",
                                   std::to_string(kReadyFd)};
  std::vector<std::string> env = DaemonEnvironment(state_dir);
  const std::vector<char*> argv = Pointers(args);
  const std::vector<char*> envp = Pointers(env);
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoError(errno, "pipe");
  const Fd read_end(fds[0]);
  Fd write_end(fds[1]);
  const pid_t child = fork();
  if (child < 0) return ErrnoError(errno, "fork");
  if (child == 0) {
    // Forks once more and ends: the daemon becomes init's child, and a compiler that this process
    // turns into has no child that it did not start.
    if (fork() == 0) Become(program.c_str(), argv.data(), envp.data(), write_end.get());
    _exit(0);
  }
  write_end.Reset();
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return AwaitReady(read_end.get(), program, timeout_ms);
}

}  // namespace llama::client
