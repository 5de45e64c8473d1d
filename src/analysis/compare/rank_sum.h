// Whether two small groups of measurements differ, without assuming how they are distributed:
// medians with intervals from order statistics, and the exact Wilcoxon-Mann-Whitney test. Builds
// are few and their times are skewed, so nothing here takes them for normal.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace llama::analysis {

// So many in both groups together: the exact distribution takes time by the cube of their number.
inline constexpr size_t kMaxRanked = 64;
// Of significance; intervals cover the rest.
inline constexpr double kLevel = 0.05;

// The middle one, or the mean of the middle two, rounded down. Of at least one.
int64_t Median(std::vector<int64_t> values);

// An interval that holds the true median with the probability `coverage`.
struct MedianInterval {
  int64_t low = 0;
  int64_t high = 0;
  double coverage = 0;
};
// The narrowest [k-th smallest, k-th largest] that covers 95 %: 1 − 2·P(Binomial(n, ½) < k). Of
// fewer than six values none does; then it is the smallest and the largest, with what they cover.
MedianInterval IntervalOfMedian(std::vector<int64_t> values);

// The probability that groups of one population differ at least as much in their ranks, either way;
// ties share their mean rank. Exact: by counting all ways to split the values. 1 if a group is
// empty.
double RankSumP(std::span<const int64_t> a, std::span<const int64_t> b);
// The smallest that it can be for groups of these sizes: 2 / C(a + b, a).
double LeastRankSumP(size_t a, size_t b);

// By how much b lies above a: the median of all differences (Hodges and Lehmann), and the interval
// that the test above would not reject at 5 %; absent where the groups are too small for one.
struct Shift {
  int64_t median = 0;
  std::optional<MedianInterval> interval;
};
Shift ShiftBetween(std::span<const int64_t> a, std::span<const int64_t> b);

}  // namespace llama::analysis
