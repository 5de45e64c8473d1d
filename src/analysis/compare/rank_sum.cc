#include "analysis/compare/rank_sum.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace llama::analysis {
namespace {

// P(Binomial(n, ½) < k).
double BelowHalf(size_t n, size_t k) {
  double term = std::pow(0.5, static_cast<double>(n));
  double sum = 0;
  for (size_t i = 0; i < k; ++i) {
    sum += term;
    term *= static_cast<double>(n - i) / static_cast<double>(i + 1);
  }
  return sum;
}

// Twice the rank of each value among all, so that shared ranks are integers.
std::vector<size_t> DoubledRanks(std::span<const int64_t> a, std::span<const int64_t> b) {
  std::vector<int64_t> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  std::vector<size_t> order(all.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t x, size_t y) { return all[x] < all[y]; });
  std::vector<size_t> ranks(all.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && all[order[end]] == all[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = begin + 1 + end;
    begin = end;
  }
  return ranks;
}

// For every sum of `chosen` of the ranks, the share of all choices that gives it.
std::vector<double> SumsOfChoices(std::span<const size_t> ranks, size_t chosen) {
  const size_t most = std::accumulate(ranks.begin(), ranks.end(), size_t{0});
  const size_t width = most + 1;
  // ways[k * width + s]: the probability to have chosen k of the ranks so far, with the sum s, when
  // each choice of `chosen` among all is as likely as any other.
  std::vector<double> ways((chosen + 1) * width, 0);
  ways[0] = 1;
  size_t sum_so_far = 0;
  for (size_t i = 0; i < ranks.size(); ++i) {
    sum_so_far += ranks[i];
    const auto left = static_cast<double>(ranks.size() - i);
    for (size_t k = std::min(i + 1, chosen) + 1; k-- > 0;) {
      const double stay = 1 - (static_cast<double>(chosen) - static_cast<double>(k)) / left;
      const double take = (static_cast<double>(chosen) - static_cast<double>(k) + 1) / left;
      double* row = &ways[k * width];
      const double* below = k > 0 ? &ways[(k - 1) * width] : nullptr;
      for (size_t s = sum_so_far + 1; s-- > 0;) {
        double way = row[s] * std::max(0.0, stay);
        if (below != nullptr && s >= ranks[i]) way += below[s - ranks[i]] * std::min(1.0, take);
        row[s] = way;
      }
    }
  }
  return {ways.end() - static_cast<std::ptrdiff_t>(width), ways.end()};
}

// The largest k such that P(U < k) ≤ 2.5 % for groups without ties; 0: none.
size_t CriticalCount(size_t a, size_t b) {
  std::vector<size_t> ranks(a + b);
  for (size_t i = 0; i < ranks.size(); ++i) ranks[i] = i + 1;
  const std::vector<double> sums = SumsOfChoices(ranks, a);
  const size_t least = a * (a + 1) / 2;
  double below = 0;
  size_t k = 0;
  while (least + k < sums.size() && below + sums[least + k] <= kLevel / 2) {
    below += sums[least + k];
    ++k;
  }
  return k;
}

}  // namespace

int64_t Median(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  return std::midpoint(values[(values.size() - 1) / 2], values[values.size() / 2]);
}

MedianInterval IntervalOfMedian(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  size_t k = 1;
  while (2 * (k + 1) <= n && 1 - 2 * BelowHalf(n, k + 1) >= 1 - kLevel) ++k;
  return {values[k - 1], values[n - k], std::max(0.0, 1 - 2 * BelowHalf(n, k))};
}

double RankSumP(std::span<const int64_t> a, std::span<const int64_t> b) {
  if (a.empty() || b.empty()) return 1;
  const std::vector<size_t> ranks = DoubledRanks(a, b);
  const size_t sum = std::accumulate(ranks.begin(), ranks.begin() + std::ssize(a), size_t{0});
  const std::vector<double> sums = SumsOfChoices(ranks, a.size());
  // Doubled ranks add up to N·(N + 1); those of a are a / N of it on average.
  const auto mean = static_cast<int64_t>(a.size() * (ranks.size() + 1));
  const int64_t distance = std::abs(static_cast<int64_t>(sum) - mean);
  double p = 0;
  for (size_t s = 0; s < sums.size(); ++s) {
    if (std::abs(static_cast<int64_t>(s) - mean) >= distance) p += sums[s];
  }
  return std::min(1.0, p);
}

double LeastRankSumP(size_t a, size_t b) {
  double ways = 1;
  for (size_t i = 1; i <= a; ++i) {
    ways = ways * static_cast<double>(b + i) / static_cast<double>(i);
  }
  return std::min(1.0, 2 / ways);
}

Shift ShiftBetween(std::span<const int64_t> a, std::span<const int64_t> b) {
  std::vector<int64_t> differences;
  differences.reserve(a.size() * b.size());
  for (const int64_t x : a) {
    for (const int64_t y : b) differences.push_back(y - x);
  }
  std::sort(differences.begin(), differences.end());
  Shift shift;
  shift.median = Median(differences);
  const size_t k = CriticalCount(a.size(), b.size());
  if (k == 0 || 2 * k > differences.size()) return shift;
  shift.interval = {differences[k - 1], differences[differences.size() - k], 1 - kLevel};
  return shift;
}

}  // namespace llama::analysis
