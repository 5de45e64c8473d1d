// For tests of what waits.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "http/wait.h"

namespace llama::http {

inline Wait Soon(int64_t ms = 10'000) {
  Wait wait;
  wait.deadline_ns = SystemClock().MonotonicNs() + ms * 1'000'000;
  return wait;
}

}  // namespace llama::http
