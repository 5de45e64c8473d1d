// WordSearch: where any of a few words stands in a text, in one pass that looks at every fifth byte
// or so: Wu and Manber's algorithm ("A fast algorithm for multi-pattern searching", 1994).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace llama::scan {

class WordSearch {
 public:
  struct Hit {
    size_t at = 0;
    size_t word = 0;  // its index
  };

  // The longer the shortest of `words` is (2 at least), the faster. They must outlive the search.
  explicit WordSearch(std::vector<std::string_view> words);

  // Ascending by position. Words may overlap.
  std::vector<Hit> Find(std::string_view text) const;

 private:
  static constexpr size_t kBuckets = 4096;
  static size_t Bucket(const char* pair) {
    return (static_cast<unsigned char>(pair[0]) * 31u + static_cast<unsigned char>(pair[1])) %
           kBuckets;
  }

  std::vector<std::string_view> words_;
  size_t window_;  // the shortest's size
  // By the last two bytes of a window: how far the next one may be.
  std::array<unsigned char, kBuckets> shifts_;
};

}  // namespace llama::scan
