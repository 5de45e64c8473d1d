#include "worker/run/process_group.h"

#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/clock.h"

namespace llama::worker {
namespace {

constexpr pid_t kMaxPid = 1 << 22;  // the kernel's own limit
constexpr pid_t kPidsBetweenLooks = 4096;

bool HasChildren() {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  return waitpid(-1, nullptr, WNOHANG) == 0;
}

bool IsChild(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// A child's number is its own until it is reaped, so that no stranger is hit.
bool KillChild(pid_t pid, int64_t until_ns) {
  if (kill(pid, SIGKILL) != 0) return false;
  while (waitpid(pid, nullptr, WNOHANG) == 0) {
    if (SystemClock().MonotonicNs() >= until_ns) return false;
    poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace

void KillGroup(pid_t group) {
  constexpr int kTries = 200;
  for (int tries = 0; tries < kTries && kill(-group, SIGKILL) == 0; ++tries) {
    while (waitpid(-group, nullptr, WNOHANG) > 0) {
    }
    if (kill(-group, 0) != 0) return;
    poll(nullptr, 0, 1);
  }
}

// Whoever has no child has no descendant. Who the children are, only /proc would say; but whether a
// number is that of a child, the kernel tells, and numbers are given out in order.
bool KillDescendants(pid_t near, int64_t within_ms) {
  const int64_t until_ns = SystemClock().MonotonicNs() + within_ms * 1'000'000;
  pid_t pid = std::clamp(near, 1, kMaxPid - 1);
  while (HasChildren()) {
    // Not each time from the first: what has forked in between has a number above its parent's.
    for (pid_t looked = 0; looked < kPidsBetweenLooks; ++looked) {
      if (++pid >= kMaxPid) pid = 2;
      if (!IsChild(pid)) continue;
      if (!KillChild(pid, until_ns)) return false;
      break;
    }
    if (SystemClock().MonotonicNs() >= until_ns) return false;
  }
  return true;
}

}  // namespace llama::worker
