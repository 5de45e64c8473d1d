#include "analysis/units/compile_flags.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

#include "trace/names.h"

namespace llama::analysis {
namespace {

std::vector<std::string_view> DistinctWords(std::string_view flags) {
  std::vector<std::string_view> words;
  while (!flags.empty()) {
    const size_t end = std::min(flags.find(' '), flags.size());
    if (end > 0) words.push_back(flags.substr(0, end));
    flags.remove_prefix(std::min(end + 1, flags.size()));
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> CompileFlags(const traces::Columns& trace) {
  // Most compiles of a build have the same text.
  std::unordered_map<traces::StringId, uint64_t> texts;
  uint64_t compiles = 0;
  const traces::FieldColumn& flags = trace.field(trace::field::kFlags);
  for (const traces::Row row : trace.rows_named(trace::span::kLlamacc)) {
    const auto text = flags.StringAt(row);
    if (!text) continue;
    ++texts[*text];
    ++compiles;
  }
  std::map<std::string_view, uint64_t> of_word;
  for (const auto& [text, count] : texts) {
    for (const std::string_view word : DistinctWords(trace.text(text))) {
      if (of_word.size() < kMaxFlags || of_word.contains(word)) of_word[word] += count;
    }
  }
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [word, count] : of_word) {
    out.emplace_back("flag " + std::string(word),
                     count == compiles ? "all compiles" : "some compiles");
  }
  return out;
}

}  // namespace llama::analysis
