#include "analysis/path/weighted_time.h"

#include <gtest/gtest.h>

#include <numeric>

#include "analysis/path/parallelism.h"
#include "analysis/units/testing.h"

namespace llama::analysis {
namespace {

// 0    10    20    30    40    50    60    70   80 ms
// |     A-----------------------|                     A: 10..50
// |           B-----|                                 B: 20..30
// |           C-----------|                           C: 20..40
// |                                   D-----|         D: 60..70
// Shares: A 10 + 10/3 + 10/2 + 10 = 28 1/3;  B 10/3;  C 10/3 + 10/2 = 8 1/3;  D 10. Sum 50.
// Idle: 0..10, 50..60, 70..80 = 30.
std::string FourUnits() {
  return BuildText(80, "") + RemoteText(1, 10, 50, "a") + RemoteText(2, 20, 30, "b") +
         RemoteText(3, 20, 40, "c") + RemoteText(4, 60, 70, "d");
}

TEST(Units, CountsWhatRanAtEachMoment) {
  const traces::Columns trace = traces::LoadText(FourUnits());
  const Units units = FindUnits(trace);
  ASSERT_EQ(units.all.size(), 4u);
  EXPECT_EQ(units.wall_ns(), 80 * traces::kTestMs);
  EXPECT_EQ(units.idle_ns, 30 * traces::kTestMs);
  EXPECT_EQ(units.peak, 3u);
  EXPECT_EQ(units.RunningBefore(traces::kTestStartNs + 20 * traces::kTestMs), 1u);
  EXPECT_EQ(units.RunningBefore(traces::kTestStartNs), 0u);
  EXPECT_EQ(UnitLabel(trace, units.all[0].row), "a.c");
}

TEST(WeightedTime, SharesTheWallClockAmongWhatRuns) {
  const traces::Columns trace = traces::LoadText(FourUnits());
  const Units units = FindUnits(trace);
  const std::vector<int64_t> shares = WeightedTimes(units);
  ASSERT_EQ(shares.size(), 4u);
  // Running totals 28.333…, 31.666…, 40, 50 ms, each rounded to the nanosecond.
  EXPECT_EQ(shares[0], 28'333'333);
  EXPECT_EQ(shares[1], 31'666'667 - 28'333'333);
  EXPECT_EQ(shares[2], 40'000'000 - 31'666'667);
  EXPECT_EQ(shares[3], 10'000'000);
  EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), int64_t{0}),
            units.wall_ns() - units.idle_ns);
}

TEST(WeightedTime, CutsUnitsToTheBuild) {
  // A unit that begins before the build and one that ends after it: 5 ms of each.
  const traces::Columns trace = traces::LoadText(BuildText(10, "") + RemoteText(1, -20, 5) +
                                                 RemoteText(2, 5, 400) + RemoteText(3, 500, 600));
  const Units units = FindUnits(trace);
  ASSERT_EQ(units.all.size(), 2u);
  EXPECT_EQ(WeightedTimes(units), (std::vector<int64_t>{5 * traces::kTestMs, 5 * traces::kTestMs}));
}

TEST(WeightedTime, AddsUpWithoutABuildSpanAndWithUnitsOfNoLength) {
  std::string text;
  for (int i = 1; i <= 97; ++i) text += RemoteText(i, i % 7, i % 7 + i % 5);
  const traces::Columns trace = traces::LoadText(text);
  const Units units = FindUnits(trace);
  const std::vector<int64_t> shares = WeightedTimes(units);
  EXPECT_EQ(shares.size(), 97u);
  EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), int64_t{0}), 10 * traces::kTestMs);
  EXPECT_EQ(units.idle_ns, 0);
}

TEST(WeightedTime, TakesTheWidestTimesThatThereAre) {
  const std::string long_ago = traces::SpanLine(
      R"("name":"llamacc","start":"1700-01-01T00:00:00Z","duration":31536000000000000)");
  std::string now = long_ago;
  now.replace(now.find("1700"), 4, "1980");
  now.replace(now.find("b7ad"), 4, "b7ae");
  const traces::Columns trace = traces::LoadText(long_ago + "\n" + now + "\n");
  const Units units = FindUnits(trace);
  ASSERT_EQ(units.all.size(), 2u);
  const std::vector<int64_t> shares = WeightedTimes(units);
  EXPECT_EQ(shares[0], 31'536'000'000'000'000);
  EXPECT_EQ(shares[0] + shares[1], units.wall_ns() - units.idle_ns);
}

TEST(WeightedTime, IsNothingOfNothing) {
  EXPECT_TRUE(WeightedTimes(FindUnits(traces::Columns())).empty());
  const traces::Columns trace = traces::LoadText(BuildText(10, ""));
  EXPECT_EQ(FindUnits(trace).idle_ns, 10 * traces::kTestMs);
  EXPECT_EQ(FormatWeighted(UnitNames(trace, std::nullopt), FindUnits(trace), {}, 10), "");
}

TEST(WeightedTime, ListsTheHeaviestFirst) {
  const traces::Columns trace = traces::LoadText(FourUnits());
  const Units units = FindUnits(trace);
  EXPECT_EQ(FormatWeighted(UnitNames(trace, std::nullopt), units, WeightedTimes(units), 2),
            "heaviest units (share of the wall clock)\n"
            "     28.3 ms  35.4 %  of   40.0 ms  remote  a.c\n"
            "     10.0 ms  12.5 %  of   10.0 ms  remote  d.c\n");
}

TEST(Parallelism, IsTheMeanOfEachStretch) {
  const traces::Columns trace = traces::LoadText(FourUnits());
  // Stretches of 20 ms: A half of the first; three of them, then two; A half and no one; D half.
  const Parallelism all = MeasureParallelism(trace, FindUnits(trace), 4);
  ASSERT_EQ(all.cells.size(), 4u);
  EXPECT_DOUBLE_EQ(all.cells[0].units, 0.5);
  EXPECT_DOUBLE_EQ(all.cells[1].units, 2.5);
  EXPECT_DOUBLE_EQ(all.cells[2].units, 0.5);
  EXPECT_DOUBLE_EQ(all.cells[3].units, 0.5);
  EXPECT_DOUBLE_EQ(all.cells[1].remote, 2.5);
  EXPECT_EQ(all.peak, 3u);
  EXPECT_DOUBLE_EQ(all.mean, 1.0);
  EXPECT_EQ(all.busy_ns + all.idle_ns, 80 * traces::kTestMs);
  // Of three at most: one is up to a half (30 ms), two up to three quarters, three more.
  EXPECT_EQ(all.quarter_ns[0], 0);
  EXPECT_EQ(all.quarter_ns[1], 30 * traces::kTestMs);
  EXPECT_EQ(all.quarter_ns[2], 10 * traces::kTestMs);
  EXPECT_EQ(all.quarter_ns[3], 10 * traces::kTestMs);
}

TEST(Parallelism, TellsRunningHereFromWaiting) {
  // 0..10 queued for a worker, then there; and 0..10 queued for a slot, then here.
  const traces::Columns trace = traces::LoadText(
      BuildText(20, "") + traces::SpanText(1, 1, 0, "llamacc", 0, 20, R"("remote":true)") +
      traces::SpanText(1, 2, 1, "invoke", 0, 20, R"("queued_ns":10000000)") +
      traces::SpanText(2, 1, 0, "llamacc", 0, 20) + traces::SpanText(2, 2, 1, "queue", 0, 10) +
      traces::SpanText(2, 3, 1, "local", 10, 10));
  const Parallelism all = MeasureParallelism(trace, FindUnits(trace), 2);
  ASSERT_EQ(all.cells.size(), 2u);
  EXPECT_DOUBLE_EQ(all.cells[0].waiting, 2);
  EXPECT_DOUBLE_EQ(all.cells[0].remote, 0);
  EXPECT_DOUBLE_EQ(all.cells[1].remote, 1);
  EXPECT_DOUBLE_EQ(all.cells[1].local, 1);
  EXPECT_DOUBLE_EQ(all.cells[1].waiting, 0);
  const std::string chart = FormatParallelism(all);
  EXPECT_NE(chart.find("|w#"), std::string::npos) << chart;
  EXPECT_NE(chart.find("|wl"), std::string::npos) << chart;
}

}  // namespace
}  // namespace llama::analysis
