#include "llama/build/progress.h"

#include <gtest/gtest.h>

namespace llama::app {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(RateTest, IsOfTheLastSeconds) {
  Rate rate;
  EXPECT_EQ(rate.Update(100, 0), 0);
  EXPECT_EQ(rate.Update(110, 1 * kSecond), 10);
  for (int second = 2; second <= 20; ++second) {
    rate.Update(110 + 40 * static_cast<uint64_t>(second - 1), second * kSecond);
  }
  EXPECT_NEAR(rate.Update(110 + 40 * 20, 21 * kSecond), 40, 0.001);
}

TEST(RateTest, StartsAnewWhenCountersDo) {
  Rate rate;
  rate.Update(1000, 0);
  EXPECT_EQ(rate.Update(5, kSecond), 0);
  EXPECT_EQ(rate.Update(15, 2 * kSecond), 10);
}

TEST(ProgressTest, ShowsWhatFits) {
  session::Counters counters;
  counters.remote_done = 1180;
  counters.local_done = 24;
  counters.remote_running = 38;
  counters.local_running = 2;
  counters.cold_starts = 12;
  counters.bytes_up = 12'300'000;
  counters.bytes_down = 999;
  counters.cost_usd = 0.0123;
  EXPECT_EQ(FormatProgress(counters, 41.25, 62 * kSecond, 200),
            "[1:02] 1,204 compiled (24 local), 38 remote + 2 local running, 41.2/s, "
            "12 cold starts, 12.3 MB up, 999 B down, $0.0123");
  EXPECT_EQ(FormatProgress(counters, 41.25, 3662 * kSecond, 45),
            "[1:01:02] 1,204 compiled (24 local)");
  EXPECT_EQ(FormatProgress(counters, 0, 0, 5), "");
}

}  // namespace
}  // namespace llama::app
