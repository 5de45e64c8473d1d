#include "analysis/units/overlap.h"

#include <gtest/gtest.h>

namespace llama::analysis {
namespace {

//   0    10   20   30   40   50
//   |    aaaaaaaaaaa
//   |         bbbbbbbbbbbbbbb
//   |              c              (empty)
//   |                   ddddd
//   one: 10–50 = 40, two: 20–30 and 40–50 (d with b) … d is 40–50, b 20–50.
TEST(OverlapTest, MeasuresHowManyAreUnderWay) {
  Overlap overlap(0, 100);
  overlap.Add(10, 30);
  overlap.Add(20, 50);
  overlap.Add(30, 30);
  overlap.Add(40, 50);
  const OverlapTimes times = overlap.Measure();
  EXPECT_EQ(times.one_ns, 40);
  EXPECT_EQ(times.two_ns, 20);
  EXPECT_EQ(times.most, 2u);
  EXPECT_DOUBLE_EQ(times.mean, (20 + 30 + 10) / 100.0);
}

TEST(OverlapTest, OneAfterTheOtherIsOneAtATime) {
  Overlap overlap(0, 10);
  overlap.Add(0, 5);
  overlap.Add(5, 10);
  const OverlapTimes times = overlap.Measure();
  EXPECT_EQ(times.most, 1u);
  EXPECT_EQ(times.one_ns, 10);
  EXPECT_EQ(times.two_ns, 0);
}

TEST(OverlapTest, WhatIsOutsideOfTheWindowDoesNotCount) {
  Overlap overlap(10, 20);
  overlap.Add(0, 12);
  overlap.Add(18, 99);
  overlap.Add(20, 30);
  const OverlapTimes times = overlap.Measure();
  EXPECT_EQ(times.one_ns, 4);
  EXPECT_EQ(times.most, 1u);
  EXPECT_EQ(Overlap(5, 5).Measure().mean, 0);
}

}  // namespace
}  // namespace llama::analysis
