#include "emulator/request/lines.h"

#include <gtest/gtest.h>

namespace llama::emulator {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(Line, LetsBytesThroughAtItsRate) {
  Line line;
  EXPECT_EQ(line.Reserve(1000, 1000, 0), kSecond);
  EXPECT_EQ(line.Reserve(500, 1000, 0), kSecond + kSecond / 2) << "behind the first ones";
  EXPECT_EQ(line.Reserve(1000, 1000, 10 * kSecond), 11 * kSecond) << "no credit for idle time";
}

TEST(Line, WithoutARateIsAsFastAsItGets) {
  Line line;
  EXPECT_EQ(line.Reserve(uint64_t{1} << 40, 0, 7), 7);
}

TEST(Lines, TheNarrowestOneDecides) {
  Model model(
      *ModelSettings::Parse("bandwidth.connection.down = 1000B/s\n"
                            "bandwidth.worker.down = 500B/s\n"
                            "bandwidth.total.down = 250B/s"));
  Lines lines(model);
  ConnectionLines first;
  ConnectionLines second;
  EXPECT_EQ(lines.Reserve(Direction::kDown, "", 1000, first, 0), 4 * kSecond);
  EXPECT_EQ(lines.Reserve(Direction::kDown, "w", 1000, second, 0), 8 * kSecond)
      << "the common line is shared by both";
  EXPECT_EQ(lines.Reserve(Direction::kUp, "w", 1000, first, 0), 0) << "no limit upwards";
}

TEST(Lines, AWorkersConnectionsShareItsLine) {
  Model model(*ModelSettings::Parse("bandwidth.worker.down = 1000B/s"));
  Lines lines(model);
  ConnectionLines first;
  ConnectionLines second;
  ConnectionLines third;
  EXPECT_EQ(lines.Reserve(Direction::kDown, "a", 1000, first, 0), kSecond);
  EXPECT_EQ(lines.Reserve(Direction::kDown, "a", 1000, second, 0), 2 * kSecond);
  EXPECT_EQ(lines.Reserve(Direction::kDown, "b", 1000, third, 0), kSecond);
  EXPECT_EQ(lines.Reserve(Direction::kDown, "", 1000, third, 0), 0) << "no worker at all";
}

TEST(Lines, FollowsTheModel) {
  Model model(*ModelSettings::Parse(""));
  Lines lines(model);
  EXPECT_FALSE(lines.IsLimited(Direction::kUp));
  model.Replace(*ModelSettings::Parse("bandwidth.total.up = 1MB/s"));
  EXPECT_TRUE(lines.IsLimited(Direction::kUp));
  EXPECT_FALSE(lines.IsLimited(Direction::kDown));
}

}  // namespace
}  // namespace llama::emulator
