// Response files: words that are quoted and split again are the same words.
#include "base/file.h"
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
  // Not in memory: names below /proc are none that a command's words may be read from.
  static const TempDir folder = TempDir::Create("response").value();
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
  CHECK(WriteFileAtomic(folder.path() + "/words", text, 0600).has_value());
  const auto expanded = ExpandResponseFiles({"@words"}, folder.path());
  CHECK(expanded.has_value() && *expanded == words);
}

}  // namespace llama::compiler
