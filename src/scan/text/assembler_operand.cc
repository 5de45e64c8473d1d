#include "scan/text/assembler_operand.h"

#include "scan/text/characters.h"

namespace llama::scan {
namespace {

// No file's name is longer, and a text of nothing but these words still takes linear time.
constexpr size_t kMaxOperand = 5000;

bool IsSymbolStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsSymbolCharacter(char c) { return IsSymbolStart(c) || (c >= '0' && c <= '9'); }

// Past the name at `at` and the arguments in parentheses that follow it, if any.
size_t EndOfMacroCall(std::string_view text, size_t at) {
  while (at < text.size() && IsSymbolCharacter(text[at])) ++at;
  size_t open = at;
  while (open < text.size() && IsBlank(text[open])) ++open;
  if (open == text.size() || text[open] != '(') return at;
  size_t depth = 0;
  for (size_t i = open; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return i + 1;
  }
  return at;
}

AssemblerOperand ReadInAssembler(std::string_view rest) {
  size_t at = 0;
  while (at < rest.size() && IsBlank(rest[at])) ++at;
  if (at == rest.size()) return {};
  // Macros are for sources that are preprocessed; elsewhere it is a word of prose.
  if (at > 0 && IsSymbolStart(rest[at])) {
    return {true, std::string(rest.substr(at, EndOfMacroCall(rest, at) - at))};
  }
  if (rest[at] != '"') return {};
  AssemblerOperand operand;
  for (++at; at < rest.size() && rest[at] != '\n'; ++at) {
    if (rest[at] == '"') return operand;
    if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
    operand.text += rest[at];
  }
  return {};
}

// `rest` is the rest of a string literal, and what follows it.
AssemblerOperand ReadInString(std::string_view rest) {
  AssemblerOperand operand;
  bool in_literal = true;
  bool is_open = false;  // the assembler's quote, \" in C
  size_t at = 0;
  while (at < rest.size()) {
    const char c = rest[at];
    const bool is_escape = in_literal && c == '\\' && at + 1 < rest.size();
    if (is_escape && rest[at + 1] == '"') {
      at += 2;
      if (is_open && !operand.is_computed) return operand;
      if (is_open) break;
      is_open = true;
    } else if (is_escape && is_open) {
      operand.text += rest[at + 1];
      at += 2;
    } else if (is_escape && rest[at + 1] == 't') {
      at += 2;
    } else if (c == '"') {
      in_literal = !in_literal;
      ++at;
    } else if (in_literal && is_open && c != '\n') {
      operand.text += c;
      ++at;
    } else if (IsBlank(c) || (!in_literal && (c == '\n' || c == '\\' || c == '#'))) {
      ++at;
    } else if (!in_literal && IsSymbolStart(c)) {
      operand.is_computed = true;
      at = EndOfMacroCall(rest, at);
    } else {
      break;
    }
  }
  if (!operand.is_computed) return {};
  operand.text = '"';
  for (const char c : rest.substr(0, at)) {
    const bool is_blank = IsBlank(c) || c == '\n';
    if (!is_blank) operand.text += c;
    if (is_blank && operand.text.back() != ' ') operand.text += ' ';
  }
  if (in_literal) operand.text += '"';
  return operand;
}

}  // namespace

AssemblerOperand ReadAssemblerOperand(std::string_view rest, bool is_in_string) {
  rest = rest.substr(0, kMaxOperand);
  return is_in_string ? ReadInString(rest) : ReadInAssembler(rest);
}

}  // namespace llama::scan
