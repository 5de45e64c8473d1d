#include "scan/text/condition.h"

#include <optional>

#include "scan/text/characters.h"

namespace llama::scan {
namespace {

// Whether a call of it in a condition asks the compiler, not the file system.
bool IsBuiltin(std::string_view word) {
  return word == "defined" || word.starts_with("__has_") || word == "__is_identifier" ||
         word == "__is_target_arch" || word == "__is_target_os" || word == "and" || word == "or" ||
         word == "not";
}

// Past the literal or header name at `at`, or at + 1 if it doesn't end.
size_t EndOfQuoted(std::string_view text, size_t at, bool& has_angle) {
  if (text[at] == '<') {
    const size_t end = has_angle ? text.find('>', at + 1) : text.npos;
    if (end == text.npos) has_angle = false;
    return end == text.npos ? at + 1 : end + 1;
  }
  const char quote = text[at];
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == quote) return i + 1;
    if (text[i] == '\\') ++i;
  }
  return text.size();
}

size_t SkipSpace(std::string_view text, size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  return at;
}

// Past the parenthesis that closes the one at `at`, or npos.
size_t EndOfParentheses(std::string_view text, size_t at) {
  size_t depth = 0;
  bool has_angle = true;
  while (at < text.size()) {
    const char c = text[at];
    const bool is_header_name = c == '<' && at > 0 && (text[at - 1] == '(' || text[at - 1] == ' ');
    if (c == '"' || c == '\'' || is_header_name) {
      // What looks like a header name may be a comparison: then it must hold no parenthesis.
      const size_t end = EndOfQuoted(text, at, has_angle);
      const bool is_comparison =
          c == '<' && text.substr(at, end - at).find_first_of("()") != text.npos;
      at = is_comparison ? at + 1 : end;
      continue;
    }
    ++at;
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) return at;
  }
  return text.npos;
}

// Whether there is anything in it that a macro could be.
bool MentionsName(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsNameStart(text[i]) && (i == 0 || !IsNameCharacter(text[i - 1]))) return true;
  }
  return false;
}

}  // namespace

// gcc 5 to 9 have __has_include as a macro of __has_include__.
std::optional<ReferenceKind> HasIncludeKind(std::string_view word) {
  if (!word.starts_with("__has_")) return {};
  if (word == "__has_include" || word == "__has_include__") return ReferenceKind::kHasInclude;
  if (word == "__has_include_next" || word == "__has_include_next__") {
    return ReferenceKind::kHasIncludeNext;
  }
  if (word == "__has_embed" || word == "__has_embed__") return ReferenceKind::kHasEmbed;
  return {};
}

bool ReadHasInclude(std::string_view text, const FoundOperand& found) {
  bool wraps = false;
  // Each is looked for up to once in vain, lest a line be quadratic.
  bool is_closed = true;
  bool has_angle = true;
  for (size_t at = text.find("__has_"); at != text.npos; at = text.find("__has_", at)) {
    const size_t start = at;
    while (at < text.size() && IsNameCharacter(text[at])) ++at;
    const auto kind = HasIncludeKind(text.substr(start, at - start));
    if (!kind || (start > 0 && IsNameCharacter(text[start - 1]))) continue;
    const size_t open = SkipSpace(text, at);
    if (open == text.size() || text[open] != '(') {
      wraps = true;
      continue;
    }
    const size_t operand = SkipSpace(text, open + 1);
    if (operand == text.size()) break;
    if (text[operand] == '"') {
      found(*kind, text.substr(operand));
      continue;
    }
    wraps = true;
    if (text[operand] == '<' && has_angle) {
      const size_t end = text.find('>', operand);
      has_angle = end != text.npos;
      if (has_angle) found(*kind, text.substr(operand, end + 1 - operand));
      if (has_angle) continue;
    }
    const size_t close = is_closed ? EndOfParentheses(text, open) : text.npos;
    is_closed = close != text.npos;
    if (is_closed) {
      size_t end = close - 1;
      while (end > operand && text[end - 1] == ' ') --end;
      found(*kind, text.substr(operand, end - operand));
      at = close;
    }
  }
  return wraps;
}

void ReadCondition(std::string_view line, const FoundOperand& found) {
  if (line.find('(') == line.npos) return;
  ReadHasInclude(line, found);
  bool has_angle = true;
  bool is_closed = true;
  size_t call_end = 0;  // calls within a call are its own
  char before = '\0';   // the last character that is no blank
  std::string_view word;
  for (size_t at = 0; at < line.size();) {
    const char c = line[at];
    const bool may_be_operand = before == '(' || before == ',';
    if (c == '"' || c == '\'' || (c == '<' && may_be_operand)) {
      const size_t end = EndOfQuoted(line, at, has_angle);
      // ReadHasInclude() has found those that are its own.
      const bool is_known = before == '(' && HasIncludeKind(word).has_value();
      if (end > at + 2 && c != '\'' && !is_known) {
        found(ReferenceKind::kHasInclude, line.substr(at, end - at));
      }
      at = end;
      before = c;
    } else if (IsNameStart(c) || IsNameCharacter(c)) {
      const size_t start = at;
      while (at < line.size() && IsNameCharacter(line[at])) ++at;
      word = line.substr(start, at - start);
      before = 'a';
      const size_t open = SkipSpace(line, at);
      const bool is_call = open < line.size() && line[open] == '(' && IsNameStart(word[0]);
      const bool is_operand_known = HasIncludeKind(word).has_value();
      if (!is_call || start < call_end || !is_closed) continue;
      if (IsBuiltin(word) && !is_operand_known) continue;
      const size_t close = EndOfParentheses(line, open);
      is_closed = close != line.npos;
      if (!is_closed) continue;
      call_end = close;
      if (!is_operand_known && MentionsName(line.substr(open, close - open))) {
        found(ReferenceKind::kConditionCall, line.substr(start, close - start));
      }
    } else {
      if (c != ' ') before = c;
      ++at;
    }
  }
}

}  // namespace llama::scan
