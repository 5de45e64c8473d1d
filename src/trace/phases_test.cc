#include "trace/phases.h"

#include <gtest/gtest.h>

namespace llama::trace {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kHourNs = 3600 * kSecondNs;
constexpr int64_t kDayNs = 24 * kHourNs;

class PhasesTest : public testing::Test {
 protected:
  void ExpectContiguous(const std::vector<Span>& spans, std::vector<int64_t> seconds) const {
    ASSERT_EQ(spans.size(), seconds.size());
    int64_t end_ns = start_ns_;
    for (size_t i = 0; i < spans.size(); ++i) {
      EXPECT_EQ(spans[i].start_ns, end_ns) << spans[i].name;
      EXPECT_EQ(spans[i].duration_ns, seconds[i] * kSecondNs) << spans[i].name;
      end_ns = spans[i].end_ns();
    }
  }

  FakeClock clock_;
  const int64_t start_ns_ = clock_.NowNs();
  const int64_t start_monotonic_ns_ = clock_.MonotonicNs();
  Phases phases_{clock_, {}, start_ns_, start_monotonic_ns_};
};

TEST_F(PhasesTest, EachBeginsWhereTheOneBeforeEnded) {
  clock_.AdvanceNs(kSecondNs);
  phases_.Begin("send");
  phases_.EndAt(clock_.MonotonicNs() + kSecondNs);
  clock_.AdvanceNs(2 * kSecondNs);
  phases_.Begin("parse");
  clock_.AdvanceNs(3 * kSecondNs);
  phases_.End();
  EXPECT_EQ(phases_.boundary_ns(), start_ns_ + 6 * kSecondNs);
  ExpectContiguous(phases_.Take(), {2, 4});
}

// Somebody sets the time in mid-job.
TEST_F(PhasesTest, LastAsLongAsTheyDidWhateverTheWallClockSays) {
  for (const char* name : {"send", "scan", "exec", "reply"}) {
    phases_.Begin(name);
    clock_.StepWallNs(name[0] == 's' ? -kHourNs : kDayNs);
    clock_.AdvanceNs(kSecondNs);
  }
  phases_.EndWithin(clock_.MonotonicNs(), clock_.MonotonicNs());
  EXPECT_EQ(phases_.boundary_ns(), start_ns_ + 4 * kSecondNs);
  ExpectContiguous(phases_.Take(), {1, 1, 1, 1});
}

TEST_F(PhasesTest, AnothersWordIsHeldWithinWhatIsPossible) {
  const auto ended = [&](int64_t told_ns) {
    Phases phases(clock_, {}, start_ns_, clock_.MonotonicNs());
    phases.Begin("reply");
    phases.EndWithin(told_ns, clock_.MonotonicNs() + kSecondNs);
    return phases.Take().back().duration_ns;
  };
  EXPECT_EQ(ended(clock_.MonotonicNs() + kSecondNs / 2), kSecondNs / 2);
  EXPECT_EQ(ended(INT64_MAX), kSecondNs);
  EXPECT_EQ(ended(INT64_MIN), 0);
  EXPECT_EQ(ended(clock_.MonotonicNs() - kHourNs), 0);
}

// Another process says when it began.
TEST_F(PhasesTest, AStartToComeIsNow) {
  Phases phases(clock_, {}, start_ns_, clock_.MonotonicNs() + kDayNs);
  phases.Begin("send");
  clock_.AdvanceNs(kSecondNs);
  phases.End();
  EXPECT_EQ(phases.Take().back().duration_ns, kSecondNs);
}

}  // namespace
}  // namespace llama::trace
