#include "scan/text/word_search.h"

#include <algorithm>

namespace llama::scan {

WordSearch::WordSearch(std::vector<std::string_view> words) : words_(std::move(words)) {
  window_ = 255;
  for (const std::string_view word : words_) window_ = std::min(window_, word.size());
  shifts_.fill(static_cast<unsigned char>(window_ - 1));
  for (const std::string_view word : words_) {
    for (size_t at = 0; at + 2 <= window_; ++at) {
      unsigned char& shift = shifts_[Bucket(word.data() + at)];
      shift = std::min(shift, static_cast<unsigned char>(window_ - 2 - at));
    }
  }
}

std::vector<WordSearch::Hit> WordSearch::Find(std::string_view text) const {
  std::vector<Hit> out;
  for (size_t end = window_; end <= text.size();) {
    const size_t shift = shifts_[Bucket(text.data() + end - 2)];
    if (shift > 0) {
      end += shift;
      continue;
    }
    const std::string_view rest = text.substr(end - window_);
    for (size_t word = 0; word < words_.size(); ++word) {
      if (rest.starts_with(words_[word])) out.push_back({end - window_, word});
    }
    ++end;
  }
  return out;
}

}  // namespace llama::scan
