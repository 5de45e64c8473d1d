#include "base/text/format.h"

#include <gtest/gtest.h>

namespace llama {
namespace {

TEST(FormatTest, Durations) {
  struct Case {
    int64_t ns;
    const char* text;
  };
  const Case cases[] = {
      {0, "0"},
      {999, "999 ns"},
      {1'000, "1.00 µs"},
      {12'345, "12.3 µs"},
      {999'600, "1.00 ms"},
      {123'456'789, "123 ms"},
      {9'999'000'000, "10.0 s"},
      {99'940'000'000, "99.9 s"},
      {123'000'000'000, "2 min 03 s"},
      {3'599'600'000'000, "1 h 00 min"},
      {INT64_MAX, "2562047 h 47 min"},
      {-5, "0"},
  };
  for (const Case& c : cases) EXPECT_EQ(FormatDuration(c.ns), c.text) << c.ns;
}

TEST(FormatTest, Bytes) {
  struct Case {
    int64_t bytes;
    const char* text;
  };
  const Case cases[] = {{0, "0 B"},           {999, "999 B"},          {1'000, "1.00 kB"},
                        {999'600, "1.00 MB"}, {12'345'678, "12.3 MB"}, {INT64_MAX, "9.22 EB"}};
  for (const Case& c : cases) EXPECT_EQ(FormatBytes(c.bytes), c.text) << c.bytes;
}

TEST(FormatTest, Counts) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(12345678), "12,345,678");
}

TEST(FormatTest, Prices) {
  EXPECT_EQ(FormatUsd(0), "$0");
  EXPECT_EQ(FormatUsd(0.000012), "$0.000012");
  EXPECT_EQ(FormatUsd(0.01234), "$0.0123");
  EXPECT_EQ(FormatUsd(12.345), "$12.35");
}

TEST(FormatTest, PaddingCountsCharacters) {
  EXPECT_EQ(PadLeft("µs", 4), "  µs");
  EXPECT_EQ(PadRight("µs", 4), "µs  ");
  EXPECT_EQ(PadLeft("long", 2), "long");
}

}  // namespace
}  // namespace llama
