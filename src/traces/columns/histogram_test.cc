#include "traces/columns/histogram.h"

#include <gtest/gtest.h>

#include <string>

namespace llama::traces {
namespace {

std::string Show(const Histogram& histogram) {
  const auto buckets = histogram.Buckets();
  if (!buckets) return "too many";
  std::string out;
  char text[100];
  for (const HistogramBucket& bucket : *buckets) {
    std::snprintf(text, sizeof text, "%s%g-%g:%d", out.empty() ? "" : " ", bucket.from, bucket.to,
                  static_cast<int>(bucket.count));
    out += text;
  }
  return out;
}

TEST(HistogramTest, BucketsByOneTwoFiveOrByWidth) {
  struct Case {
    std::vector<double> values;
    std::optional<double> width;
    std::string shown;
  };
  const Case cases[] = {
      {{}, {}, ""},
      {{1}, {}, "1-2:1"},
      {{1, 1.9, 2, 4.9, 5, 9.9, 10}, {}, "1-2:2 2-5:2 5-10:2 10-20:1"},
      {{3, 300}, {}, "2-5:1 5-10:0 10-20:0 20-50:0 50-100:0 100-200:0 200-500:1"},
      {{0, 0, 7}, {}, "0-0:2 5-10:1"},
      {{0.1, 0.2, 0.5, 0.001},
       {},
       "0.001-0.002:1 0.002-0.005:0 0.005-0.01:0 0.01-0.02:0 "
       "0.02-0.05:0 0.05-0.1:0 0.1-0.2:1 0.2-0.5:1 0.5-1:1"},
      {{-3, 3}, {}, "-5--2:1 2-5:1"},
      {{-1, -2}, {}, "-5--2:1 -2--1:1"},
      {{1e9, 1e300}, 1e9, "too many"},
      {{0, 9, 10, 25, -1}, 10, "-10-0:1 0-10:2 10-20:1 20-30:1"},
      {{0.5}, 0.25, "0.5-0.75:1"},
  };
  for (const Case& c : cases) {
    Histogram histogram(c.width);
    for (const double value : c.values) histogram.Add(value);
    EXPECT_EQ(Show(histogram), c.shown);
  }
}

TEST(HistogramTest, TakesEveryFiniteNumber) {
  for (const double value : {1e308, 1.7976931348623157e308, 5e-324, 1e-300, 1e-299, -1e308}) {
    Histogram histogram;
    histogram.Add(value);
    const auto buckets = histogram.Buckets();
    ASSERT_TRUE(buckets && buckets->size() == 1) << value;
    EXPECT_LE((*buckets)[0].from, value < 1e-300 && value > 0 ? 0 : value);
    EXPECT_GE((*buckets)[0].to, value < 1e-300 && value > 0 ? 0 : value);
  }
}

}  // namespace
}  // namespace llama::traces
