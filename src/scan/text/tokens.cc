#include "scan/text/tokens.h"

#include "scan/text/characters.h"

namespace llama::scan {
namespace {

size_t EndOfNumber(std::string_view text, size_t at) {
  while (at < text.size()) {
    const char c = text[at];
    const bool is_sign = (c == '+' || c == '-') &&
                         std::string_view("eEpP").find(text[at - 1]) != std::string_view::npos;
    const bool is_separator = c == '\'' && at + 1 < text.size() && IsNameCharacter(text[at + 1]);
    if (!IsNameCharacter(c) && c != '.' && !is_sign && !is_separator) break;
    ++at;
  }
  return at;
}

size_t EndOfLiteral(std::string_view text, size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] == quote) return at + 1;
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
  }
  return text.size();
}

}  // namespace

std::vector<Token> Tokenize(std::string_view text, bool has_header_names) {
  std::vector<Token> out;
  bool has_space = false;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char c = text[at];
    if (IsSpace(c)) {
      has_space = true;
      ++at;
      continue;
    }
    Token token;
    token.has_space = token.has_own_space = has_space;
    has_space = false;
    const std::string_view rest = text.substr(at);
    const bool is_number = IsDigit(c) || (c == '.' && rest.size() > 1 && IsDigit(rest[1]));
    if (is_number) {
      token.kind = Token::Kind::kNumber;
      at = EndOfNumber(text, at + 1);
    } else if (IsNameStart(c)) {
      token.kind = Token::Kind::kName;
      while (at < text.size() && IsNameCharacter(text[at])) ++at;
    } else if (c == '"' || c == '\'') {
      token.kind = Token::Kind::kLiteral;
      at = EndOfLiteral(text, at);
    } else if (c == '<' && has_header_names && rest.find('>') != rest.npos) {
      token.kind = Token::Kind::kLiteral;
      at += rest.find('>') + 1;
    } else if (rest.starts_with("##") || rest.starts_with("%:%:")) {
      token.text = "##";
      at += c == '#' ? 2 : 4;
    } else if (rest.starts_with("%:")) {
      token.text = "#";
      at += 2;
    } else if (rest.starts_with("...")) {
      at += 3;
    } else {
      ++at;
    }
    if (token.text.empty()) token.text = text.substr(start, at - start);
    out.push_back(std::move(token));
  }
  return out;
}

}  // namespace llama::scan
