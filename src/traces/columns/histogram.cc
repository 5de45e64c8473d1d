#include "traces/columns/histogram.h"

#include <algorithm>
#include <cmath>

namespace llama::traces {
namespace {

// Bounds by number: 0 is 1, 1 is 2, 2 is 5, 3 is 10, -1 is 0.5.
double Bound(int64_t number) {
  const int64_t decade = number >= 0 ? number / 3 : -((2 - number) / 3);
  constexpr double kSteps[] = {1, 2, 5};
  const double step = kSteps[number - decade * 3];
  const auto power = static_cast<double>(decade);
  // Dividing by a power of ten rounds once, multiplying by a negative one twice.
  return decade >= 0 ? step * std::pow(10, power) : step / std::pow(10, -power);
}

// The last bound that does not exceed `value` > 0.
int64_t BoundBelow(double value) {
  auto number = 3 * static_cast<int64_t>(std::floor(std::log10(value)));
  while (Bound(number) > value) --number;
  while (Bound(number + 1) <= value) ++number;
  return number;
}

// Below this, numbers count as 0. It is above the least double so that bounds are exact.
constexpr double kLeast = 1e-300;
// Without a width: 0 is the bucket of zeros, those above it have the number of their lower bound
// plus this, and those below mirror them.
constexpr int64_t kShift = 1000;

}  // namespace

int64_t Histogram::IndexOf(double value) const {
  if (width_) return static_cast<int64_t>(std::clamp(std::floor(value / *width_), -9e15, 9e15));
  if (std::abs(value) < kLeast) return 0;
  const int64_t above = BoundBelow(std::abs(value)) + kShift;
  return value > 0 ? above : -above;
}

HistogramBucket Histogram::BucketAt(int64_t index) const {
  if (width_) {
    const auto number = static_cast<double>(index);
    return {number * *width_, (number + 1) * *width_, 0};
  }
  if (index > 0) return {Bound(index - kShift), Bound(index - kShift + 1), 0};
  if (index < 0) return {-Bound(-index - kShift + 1), -Bound(-index - kShift), 0};
  return {};
}

void Histogram::Add(double value) { ++counts_[IndexOf(value)]; }

std::optional<std::vector<HistogramBucket>> Histogram::Buckets() const {
  std::vector<HistogramBucket> out;
  const int64_t* last = nullptr;
  for (const auto& [index, count] : counts_) {
    // Without a width there is nothing worth showing between numbers of different signs and zero.
    const bool neighbours = width_ || (last != nullptr && (*last > 0) == (index > 0) && index != 0);
    if (last != nullptr && neighbours) {
      if (index - *last > static_cast<int64_t>(kMaxBuckets)) return std::nullopt;
      for (int64_t i = *last + 1; i < index; ++i) out.push_back(BucketAt(i));
    }
    out.push_back(BucketAt(index));
    out.back().count = count;
    if (out.size() > kMaxBuckets) return std::nullopt;
    last = &index;
  }
  return out;
}

}  // namespace llama::traces
