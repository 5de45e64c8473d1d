#include "traces/columns/percentile.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>

namespace llama::traces {
namespace {

TEST(PercentileTest, NearestRankIsTheSmallestThatCoversTheShare) {
  struct Case {
    size_t count;
    double percent;
    size_t rank;  // from 1
  };
  const Case cases[] = {
      {1, 0, 1},     {1, 50, 1},    {1, 100, 1},       {2, 50, 1},     {2, 50.1, 2},
      {3, 50, 2},    {4, 50, 2},    {5, 95, 5},        {20, 95, 19},   {20, 95.1, 20},
      {100, 95, 95}, {100, 99, 99}, {1000, 99.9, 999}, {1000, 0.1, 1}, {7, 100, 7},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(NearestRank(c.count, c.percent) + 1, c.rank) << c.count << " at " << c.percent;
  }
}

TEST(PercentileTest, IsAValueThatOccurred) {
  std::vector<int64_t> values(101);
  std::iota(values.rbegin(), values.rend(), 0);
  EXPECT_EQ(Percentile(values, 50), 50);
  EXPECT_EQ(Percentile(values, 99), 99);
  EXPECT_EQ(Percentile(values, 0), 0);
  EXPECT_EQ(Percentile(values, 100), 100);
}

}  // namespace
}  // namespace llama::traces
