// What ends a wait besides what is waited for.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "base/result.h"

namespace llama::http {

struct Wait {
  int64_t deadline_ns = 0;          // Clock::MonotonicNs; 0: none. Gives kDeadline.
  int stop_fd = -1;                 // readable: kCancelled
  std::function<bool()> cancelled;  // polled every poll_ms; true: kCancelled
  int poll_ms = 50;
  // Not 0: polled less often as it lasts, after half as long again, up to this.
  int max_poll_ms = 0;
  // Told how many bytes came in, as they come; may block: a line that is only so fast.
  std::function<void(uint64_t)> received;
};

// Until `fd` is ready for `events` (of poll), or has failed or hung up.
Result<void> WaitUntilReady(int fd, short events, const Wait& wait, const Clock& clock);

}  // namespace llama::http
