// Against values worked out by counting, and against tables of the Mann-Whitney test.
#include "analysis/compare/rank_sum.h"

#include <gtest/gtest.h>

namespace llama::analysis {
namespace {

using Values = std::vector<int64_t>;

TEST(RankSumTest, MedianIsTheMiddle) {
  EXPECT_EQ(Median({5}), 5);
  EXPECT_EQ(Median({9, 1, 5}), 5);
  EXPECT_EQ(Median({4, 1, 9, 5}), 4);  // (4 + 5) / 2, rounded down
  EXPECT_EQ(Median({INT64_MAX, INT64_MAX}), INT64_MAX);
}

// 1 − 2·P(Binomial(n, ½) < k).
TEST(RankSumTest, IntervalOfAMedianSaysWhatItCovers) {
  struct Case {
    int n;
    int64_t low;
    int64_t high;
    double coverage;
  };
  const Case cases[] = {
      {1, 1, 1, 0},               // 1 − 2·½
      {2, 1, 2, 0.5},             // 1 − 2·¼
      {3, 1, 3, 0.75},            // 1 − 2·⅛
      {5, 1, 5, 0.9375},          // 1 − 2/32
      {6, 1, 6, 0.96875},         // 1 − 2/64
      {8, 1, 8, 0.9921875},       // 1 − 2/256; k = 2: 1 − 2·9/256 = 0.93
      {9, 2, 8, 1 - 20.0 / 512},  // k = 2: 1 − 2·(1 + 9)/512
      {12, 3, 10, 1 - 2 * (1 + 12 + 66) / 4096.0},
  };
  for (const Case& c : cases) {
    Values values;
    for (int i = c.n; i >= 1; --i) values.push_back(i);
    const MedianInterval interval = IntervalOfMedian(values);
    EXPECT_EQ(interval.low, c.low) << c.n;
    EXPECT_EQ(interval.high, c.high) << c.n;
    EXPECT_NEAR(interval.coverage, c.coverage, 1e-12) << c.n;
  }
}

TEST(RankSumTest, PCountsAllWaysToSplit) {
  struct Case {
    Values a;
    Values b;
    double p;
  };
  const Case cases[] = {
      {{1}, {2}, 1},                           // either order is as far
      {{1, 2}, {3, 4}, 2.0 / 6},               // of C(4,2) = 6 the two outermost
      {{1, 2, 3}, {4, 5, 6}, 2.0 / 20},        //
      {{1, 2, 3, 4}, {5, 6, 7, 8}, 2.0 / 70},  //
      {{1, 2, 4}, {3, 5, 6}, 4.0 / 20},        // rank sums 6 and 7 of 21, and the mirrored ones
      {{1, 3, 5}, {2, 4, 6}, 14.0 / 20},       // U = 3: P(U ≤ 3) = 7/20
      {{7, 7}, {7, 7}, 1},                     // all ranks are shared
      // Ranks 1.5, 1.5, 3.5, 3.5: of the 6 splits {1,1} and {2,2} are the outermost.
      {{1, 1}, {2, 2}, 2.0 / 6},
      {{}, {1}, 1},
  };
  for (const Case& c : cases) {
    EXPECT_NEAR(RankSumP(c.a, c.b), c.p, 1e-9);
    EXPECT_NEAR(RankSumP(c.b, c.a), c.p, 1e-9);
  }
}

TEST(RankSumTest, TheLeastPIsOfCompleteSeparation) {
  EXPECT_DOUBLE_EQ(LeastRankSumP(1, 1), 1);
  EXPECT_NEAR(LeastRankSumP(3, 3), 0.1, 1e-12);
  EXPECT_NEAR(LeastRankSumP(4, 4), 2.0 / 70, 1e-12);
  EXPECT_NEAR(LeastRankSumP(3, 5), RankSumP(Values{1, 2, 3}, Values{4, 5, 6, 7, 8}), 1e-9);
}

TEST(RankSumTest, ShiftIsTheMedianOfAllDifferences) {
  const Values a = {10, 12, 14, 16};
  const Values b = {20, 22, 24, 26};
  const Shift shift = ShiftBetween(a, b);
  // Differences: 4, 6 6, 8 8 8, 10 10 10 10, 12 12 12, 14 14, 16.
  EXPECT_EQ(shift.median, 10);
  // P(U < 1) = 1/70 ≤ 2.5 % < P(U < 2) = 2/70: the smallest and the largest difference.
  ASSERT_TRUE(shift.interval);
  EXPECT_EQ(shift.interval->low, 4);
  EXPECT_EQ(shift.interval->high, 16);
  EXPECT_FALSE(ShiftBetween(Values{1, 2, 3}, Values{4, 5, 6}).interval);
}

TEST(RankSumTest, ManyBuildsAreRankedInTime) {
  Values a;
  Values b;
  for (int i = 0; i < static_cast<int>(kMaxRanked / 2); ++i) {
    a.push_back(i);
    b.push_back(i + 100);
  }
  EXPECT_LT(RankSumP(a, b), 1e-15);
  EXPECT_EQ(ShiftBetween(a, b).median, 100);
}

}  // namespace
}  // namespace llama::analysis
