#include "exports/spans/time_range.h"

#include <gtest/gtest.h>

#include <limits>

namespace llama::exports {
namespace {

TEST(TimeRange, ReadsWhatPeopleWrite) {
  struct Case {
    const char* text;
    int64_t begin_ns;  // -1: none
    int64_t end_ns;
  };
  const Case cases[] = {
      {"10s..1m30s", 10'000'000'000, 90'000'000'000},
      {"..500ms", -1, 500'000'000},
      {"12.5..", 12'500'000'000, -1},
      {"0..1h", 0, 3'600'000'000'000},
      {"1us..2µs", 1'000, 2'000},
      {"1ns..1min1s", 1, 61'000'000'000},
      {"..", -1, -1},
  };
  for (const Case& c : cases) {
    const auto range = ParseTimeRange(c.text);
    ASSERT_TRUE(range) << c.text;
    EXPECT_EQ(range->begin ? range->begin->ns : -1, c.begin_ns) << c.text;
    EXPECT_EQ(range->end ? range->end->ns : -1, c.end_ns) << c.text;
  }
}

TEST(TimeRange, RefusesWhatIsNone) {
  for (const char* text : {"", "10", "5s-6s", "6..5", "5..5", "-1..2", "1x..2", "1s2..3", "nan..",
                           "..inf", "1e3..", "999999h..", "2026-11-22T..", "..2026-13-01T00:00:00Z",
                           "2026-11-22T08:20:51Z..2026-11-22T08:20:50Z"}) {
    EXPECT_FALSE(ParseTimeRange(text)) << text;
  }
}

// The build starts at 1000 ns; the range is [1100, 1200).
TEST(TimeRange, OverlapsSpansThatRanInIt) {
  const auto range = ParseTimeRange("100ns..200ns");
  ASSERT_TRUE(range);
  struct Case {
    int64_t start_ns;
    int64_t end_ns;
    bool overlaps;
  };
  for (const Case& c : {Case{1000, 1100, false},
                        {1000, 1101, true},
                        {1100, 1100, true},
                        {1150, 1160, true},
                        {1199, 5000, true},
                        {1200, 1300, false}}) {
    EXPECT_EQ(range->Overlaps(c.start_ns, c.end_ns, 1000), c.overlaps)
        << c.start_ns << "–" << c.end_ns;
  }
}

TEST(TimeRange, TakesTimesOfDay) {
  const auto range = ParseTimeRange("1970-01-01T00:00:01Z..2s");
  ASSERT_TRUE(range);
  EXPECT_FALSE(range->Overlaps(0, 999'999'999, 500'000'000));
  EXPECT_TRUE(range->Overlaps(1'000'000'000, 1'000'000'001, 500'000'000));
  EXPECT_FALSE(range->Overlaps(2'500'000'000, 2'500'000'001, 500'000'000));
}

TEST(TimeRange, StaysWithinInt64) {
  const auto range = ParseTimeRange("1h..");
  ASSERT_TRUE(range);
  const int64_t last = std::numeric_limits<int64_t>::max();
  EXPECT_FALSE(range->Overlaps(0, 1, last));
}

}  // namespace
}  // namespace llama::exports
