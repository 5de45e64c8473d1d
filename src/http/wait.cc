#include "http/wait.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace llama::http {

Result<void> WaitUntilReady(int fd, short events, const Wait& wait, const Clock& clock) {
  std::array<pollfd, 2> fds = {pollfd{fd, events, 0}, pollfd{wait.stop_fd, POLLIN, 0}};
  const int64_t begin_ns = wait.max_poll_ms > 0 ? clock.MonotonicNs() : 0;
  int poll_ms = wait.poll_ms;
  while (true) {
    // Looked at each time, not only when nothing comes: who sends a byte now and then could not be
    // left otherwise.
    if (wait.cancelled && wait.cancelled()) return Error{Code::kCancelled, "cancelled"};
    int timeout_ms = wait.cancelled ? poll_ms : -1;
    if (wait.deadline_ns != 0) {
      const int64_t left_ms = (wait.deadline_ns - clock.MonotonicNs() + 999'999) / 1'000'000;
      if (left_ms <= 0) return Error{Code::kDeadline, "HTTP: the other side took too long"};
      const int64_t most = timeout_ms < 0 ? 1'000'000 : timeout_ms;
      timeout_ms = static_cast<int>(std::min(left_ms, most));
    }
    const int ready = poll(fds.data(), fds.size(), timeout_ms);
    if (ready < 0 && errno != EINTR) return ErrnoError(errno, "poll");
    if (ready > 0 && fds[1].revents != 0) return Error{Code::kCancelled, "told to stop"};
    if (ready > 0 && fds[0].revents != 0) return {};
    if (wait.max_poll_ms == 0) continue;
    const int64_t half_ms = (clock.MonotonicNs() - begin_ns) / 2'000'000;
    poll_ms = std::max(poll_ms, static_cast<int>(std::min<int64_t>(half_ms, wait.max_poll_ms)));
  }
}

}  // namespace llama::http
