#include "daemon/server/lifecycle.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>

#include "base/clock.h"
#include "base/file.h"
#include "base/file_identity.h"
#include "base/own_dir.h"
#include "session/socket.h"

namespace llama::daemon {
namespace {

constexpr off_t kLogBytes = 10 << 20;
constexpr int kLockPauseMs = 20;

}  // namespace

Result<Fd> LockDaemon(const std::string& run_dir, int64_t timeout_ms) {
  const std::string path = run_dir + "/daemon.lock";
  const int64_t end_ns = SystemClock().MonotonicNs() + timeout_ms * 1'000'000;
  while (true) {
    // Anew each time: somebody may have removed the file that we waited for.
    ASSIGN_OR_RETURN(Fd lock, OpenOwnFile(path, O_RDWR | O_CREAT, 0600));
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      if (IdOf(path) == IdOfOpen(lock.get())) return lock;
      continue;
    }
    if (errno != EWOULDBLOCK) return ErrnoError(errno, path);
    if (session::ConnectSocket(run_dir)) {
      return Error{Code::kUnavailable, path + ": another daemon serves"};
    }
    if (SystemClock().MonotonicNs() >= end_ns) {
      return Error{Code::kDeadline, path + ": held by another daemon that does not end"};
    }
    poll(nullptr, 0, kLockPauseMs);
  }
}

Result<void> LogToFile(const std::string& llama_dir, LogLevel level) {
  const std::string path = llama_dir + "/daemon.log";
  struct stat st {};
  if (stat(path.c_str(), &st) == 0 && st.st_size >= kLogBytes) {
    if (rename(path.c_str(), (path + ".1").c_str()) != 0) return ErrnoError(errno, path);
  }
  ASSIGN_OR_RETURN(const Fd log, OpenOwnFile(path, O_WRONLY | O_CREAT | O_APPEND, 0600));
  ASSIGN_OR_RETURN(const Fd null, OpenFile("/dev/null", O_RDONLY));
  if (dup2(null.get(), STDIN_FILENO) < 0 || dup2(log.get(), STDOUT_FILENO) < 0 ||
      dup2(log.get(), STDERR_FILENO) < 0) {
    return ErrnoError(errno, path);
  }
  SetLog(STDERR_FILENO, level);
  return {};
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Result<Fd> TakeStopSignals() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  if (const int failed = pthread_sigmask(SIG_BLOCK, &stop, nullptr); failed != 0) {
    return ErrnoError(failed, "signals");
  }
  Fd fd(signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return ErrnoError(errno, "signals");
  return fd;
}

void TellReady(Fd ready, const Result<void>& listens) {
  if (!ready.valid()) return;
  const std::string words = listens ? "ok" : listens.error().message.substr(0, PIPE_BUF);
  (void)!write(ready.get(), words.data(), words.size());
}

}  // namespace llama::daemon
