#include "compiler/unrecorded_toolchains.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace llama::compiler {
namespace {

constexpr int64_t kMinuteNs = 60'000'000'000;

class UnrecordedToolchainsTest : public testing::Test {
 protected:
  FakeClock clock_;
  UnrecordedToolchains toolchains_{clock_};
  std::shared_ptr<const Toolchain> odd_ = std::make_shared<Toolchain>();
  std::shared_ptr<const Toolchain> good_ = std::make_shared<Toolchain>();
};

TEST_F(UnrecordedToolchainsTest, AreAvoidedForAWhileThatDoubles) {
  EXPECT_FALSE(toolchains_.ShouldAvoid(odd_));
  int64_t pause_ns = kMinuteNs;
  for (int trial = 0; trial < 12; ++trial) {
    toolchains_.Learn(odd_, false);
    EXPECT_TRUE(toolchains_.ShouldAvoid(odd_));
    EXPECT_FALSE(toolchains_.ShouldAvoid(good_));
    clock_.AdvanceNs(pause_ns - 1);
    EXPECT_TRUE(toolchains_.ShouldAvoid(odd_));
    clock_.AdvanceNs(1);
    EXPECT_FALSE(toolchains_.ShouldAvoid(odd_)) << trial;
    EXPECT_TRUE(toolchains_.ShouldAvoid(odd_)) << "one tries at a time";
    pause_ns = std::min(2 * pause_ns, 60 * kMinuteNs);
  }
}

TEST_F(UnrecordedToolchainsTest, ManyThatComeBackAtOnceAreOneTrial) {
  for (int i = 0; i < 200; ++i) toolchains_.Learn(odd_, false);
  clock_.AdvanceNs(kMinuteNs);
  EXPECT_FALSE(toolchains_.ShouldAvoid(odd_));
}

TEST_F(UnrecordedToolchainsTest, OneThatWasEverRecordedIsTriedAlways) {
  toolchains_.Learn(good_, true);
  toolchains_.Learn(good_, false);
  EXPECT_FALSE(toolchains_.ShouldAvoid(good_));
  toolchains_.Learn(odd_, false);
  toolchains_.Learn(odd_, true);
  EXPECT_FALSE(toolchains_.ShouldAvoid(odd_));
}

TEST_F(UnrecordedToolchainsTest, AnotherStateOfTheCompilerIsTriedAnew) {
  toolchains_.Learn(odd_, false);
  odd_ = std::make_shared<Toolchain>();
  EXPECT_FALSE(toolchains_.ShouldAvoid(odd_));
}

}  // namespace
}  // namespace llama::compiler
