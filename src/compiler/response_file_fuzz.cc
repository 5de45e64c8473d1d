// Response files: words that are quoted and split again are the same words.
#include "base/fuzz.h"
#include "compiler/response_file.h"

namespace llama::compiler {
namespace {

std::string Quoted(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    out += "''";
    for (const char c : word) out.append("\\").push_back(c);
    out += ' ';
  }
  return out;
}

}  // namespace

FUZZ_TARGET(text) {
  static FuzzFile file;
  const std::vector<std::string> words = SplitResponse(text);
  size_t size = 0;
  bool nested = false;
  for (const std::string& word : words) {
    size += word.size();
    nested = nested || word.starts_with('@');
  }
  CHECK(size + words.size() <= text.size() + 1);
  CHECK(SplitResponse(Quoted(words)) == words);
  if (nested) return;
  const auto expanded = ExpandResponseFiles({"@" + file.Put(text)}, "/");
  CHECK(expanded.has_value() && *expanded == words);
}

}  // namespace llama::compiler
