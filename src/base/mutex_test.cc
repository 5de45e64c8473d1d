#include "base/mutex.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <ctime>

#include "base/clock.h"

namespace {

std::atomic<time_t> wall_step_s{0};

}  // namespace

// In place of the C library's, for this whole test program: the wall clock can be set.
extern "C" int clock_gettime(clockid_t id, timespec* now) noexcept {
  const long result = syscall(SYS_clock_gettime, id, now);
  if (result == 0 && id == CLOCK_REALTIME) now->tv_sec += wall_step_s;
  return static_cast<int>(result);
}

namespace llama {
namespace {

constexpr int64_t kWaitMs = 30;

// A wait that looks at the wall clock ends at once when it was set back, and a day late when it was
// set forward; the latter would hang here.
TEST(CondVar, WaitsForAsLongWhateverTheWallClockSays) {
  for (const time_t step_s : {time_t{0}, time_t{-3600}, time_t{86'400}}) {
    wall_step_s = step_s;
    Mutex mutex;
    CondVar never;
    const int64_t start_ns = SystemClock().MonotonicNs();
    {
      const MutexLock lock(mutex);
      never.WaitFor(mutex, kWaitMs);
    }
    EXPECT_GE(SystemClock().MonotonicNs() - start_ns, kWaitMs * 1'000'000) << step_s;
  }
  wall_step_s = 0;
}

TEST(CondVar, TakesTimesThatAreNone) {
  Mutex mutex;
  CondVar changed;
  const MutexLock lock(mutex);
  changed.WaitFor(mutex, 0);
  changed.WaitFor(mutex, -1);
}

}  // namespace
}  // namespace llama
