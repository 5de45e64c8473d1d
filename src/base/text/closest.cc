#include "base/text/closest.h"

#include <algorithm>
#include <numeric>
#include <utility>

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
  const std::vector<std::string_view> near = Near(word, known, 1);
  return near.empty() ? std::string_view() : near.front();
}

std::vector<std::string_view> Near(std::string_view word, std::span<const std::string_view> known,
                                   size_t max) {
  const size_t limit = (word.size() + 2) / 3;
  std::vector<std::pair<size_t, std::string_view>> found;
  for (const std::string_view candidate : known) {
    const size_t distance =
        candidate.starts_with(word) && !word.empty() ? 1 : Distance(word, candidate);
    const auto is_same = [&](const auto& other) { return other.second == candidate; };
    if (distance <= limit && std::none_of(found.begin(), found.end(), is_same)) {
      found.emplace_back(distance, candidate);
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  if (found.size() > max) found.resize(max);
  std::vector<std::string_view> near;
  for (const auto& [distance, candidate] : found) near.push_back(candidate);
  return near;
}

}  // namespace llama
