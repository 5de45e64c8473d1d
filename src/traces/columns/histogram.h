// Histogram: how many of some numbers lie in which interval. Without a width the bounds are 1, 2,
// 5, 10, 20, 50, …: durations and sizes spread over powers of ten.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace llama::traces {

// [from, to), or (from, to] below zero in a histogram without a width; [0, 0] holds its zeros.
struct HistogramBucket {
  double from = 0;
  double to = 0;
  uint64_t count = 0;
};

class Histogram {
 public:
  static constexpr size_t kMaxBuckets = 10'000;

  // `width` of every bucket; it must be finite and above 0.
  explicit Histogram(std::optional<double> width = std::nullopt) : width_(width) {}

  void Add(double value);  // finite
  // Ascending, with the empty ones between others. Nothing if there would be more than kMaxBuckets.
  std::optional<std::vector<HistogramBucket>> Buckets() const;

 private:
  int64_t IndexOf(double value) const;
  HistogramBucket BucketAt(int64_t index) const;

  std::optional<double> width_;
  std::map<int64_t, uint64_t> counts_;
};

}  // namespace llama::traces
