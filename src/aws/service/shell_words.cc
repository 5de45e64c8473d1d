#include "aws/service/shell_words.h"

namespace llama::aws {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Reads what is quoted from `line`, up to and with the closing quote.
Result<void> TakeQuoted(std::string_view& line, std::string& word) {
  const char quote = line[0];
  line.remove_prefix(1);
  while (!line.empty() && line[0] != quote) {
    // Between double quotes a backslash quotes itself and the quote, nothing else.
    if (quote == '"' && line[0] == '\\' && line.size() > 1 && (line[1] == '"' || line[1] == '\\')) {
      line.remove_prefix(1);
    }
    word.push_back(line[0]);
    line.remove_prefix(1);
  }
  if (line.empty()) return Error{Code::kInvalid, "a quote that is not closed"};
  line.remove_prefix(1);
  return {};
}

Result<std::string> TakeWord(std::string_view& line) {
  std::string word;
  while (!line.empty() && !IsBlank(line[0])) {
    if (line[0] == '\'' || line[0] == '"') {
      TRY(TakeQuoted(line, word));
      continue;
    }
    if (line[0] == '\\') {
      line.remove_prefix(1);
      if (line.empty()) return Error{Code::kInvalid, "a backslash at the end"};
    }
    word.push_back(line[0]);
    line.remove_prefix(1);
  }
  return word;
}

}  // namespace

Result<std::vector<std::string>> SplitShellWords(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    while (!line.empty() && IsBlank(line[0])) line.remove_prefix(1);
    if (line.empty()) return words;
    ASSIGN_OR_RETURN(std::string word, TakeWord(line));
    words.push_back(std::move(word));
  }
}

}  // namespace llama::aws
