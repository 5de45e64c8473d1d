// Percentiles by nearest rank: the p-th is the smallest value that p % of the values do not exceed.
// It is always a value that occurred, not one between two. Whatever shows percentiles takes them
// from here, so that reports and SQL agree.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace llama::traces {

// Where the p-th percentile stands among `count` > 0 sorted values, from 0. `percent` is in
// [0, 100].
inline size_t NearestRank(size_t count, double percent) {
  const double exact = static_cast<double>(count) * percent / 100;
  // 99.9 % of 1000 is 999, whatever binary fractions make of it.
  const double rank = std::ceil(exact - exact * 1e-12);
  if (rank < 1) return 0;
  return std::min(static_cast<size_t>(rank), count) - 1;
}

// Of at least one value, which it puts into another order.
template <typename T>
T Percentile(std::vector<T>& values, double percent) {
  const auto nth =
      values.begin() + static_cast<std::ptrdiff_t>(NearestRank(values.size(), percent));
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

}  // namespace llama::traces
