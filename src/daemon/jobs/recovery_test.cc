#include "daemon/jobs/recovery.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace llama::daemon {
namespace {

TEST(Recovery, AsksUntilAllIsUpAndThenOnlyWhenWokenAgain) {
  std::atomic<bool> up = true;
  std::atomic<int> asked = 0;
  std::promise<void> back;
  Recovery recovery({.is_up = [&] { return up.load(); },
                     .ask =
                         [&](const auto&) {
                           if (++asked % 3 != 0) return;
                           up = true;
                           back.set_value();
                         },
                     .interval_ms = 1});
  EXPECT_EQ(asked, 0);
  for (int round = 1; round <= 2; ++round) {
    back = {};
    up = false;
    // A wake that comes while the last one's work ends may be lost in it; the next job's is not.
    auto done = back.get_future();
    do {
      recovery.Wake();
    } while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready);
    EXPECT_EQ(asked, 3 * round);
  }
}

TEST(Recovery, EndsAQuestionThatIsUnderWay) {
  std::promise<void> asking;
  bool was_cancelled = false;
  {
    Recovery recovery({.is_up = [] { return false; },
                       .ask =
                           [&](const auto& cancelled) {
                             asking.set_value();
                             while (!cancelled()) std::this_thread::yield();
                             was_cancelled = true;
                           },
                       .interval_ms = 1});
    recovery.Wake();
    asking.get_future().wait();
  }
  EXPECT_TRUE(was_cancelled);
}

}  // namespace
}  // namespace llama::daemon
