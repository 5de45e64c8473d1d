#include "base/clock.h"

#include <ctime>

namespace llama {
namespace {

int64_t ReadNs(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

class RealClock final : public Clock {
 public:
  int64_t NowNs() const override { return ReadNs(CLOCK_REALTIME); }
  int64_t MonotonicNs() const override { return ReadNs(CLOCK_MONOTONIC); }
};

}  // namespace

const Clock& SystemClock() {
  static const RealClock clock;
  return clock;
}

}  // namespace llama
