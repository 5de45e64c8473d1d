#include "base/closest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace llama {
namespace {

// Levenshtein's distance.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view Closest(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  size_t best_distance = (word.size() + 2) / 3 + 1;
  for (const std::string_view candidate : known) {
    const size_t distance =
        candidate.starts_with(word) && !word.empty() ? 1 : Distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace llama
