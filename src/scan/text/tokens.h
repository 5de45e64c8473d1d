// Preprocessing tokens of a piece of text that holds no comments: a macro's body, or what a
// directive is to expand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llama::scan {

struct Token {
  enum class Kind : unsigned char { kName, kNumber, kLiteral, kOther };
  Kind kind = Kind::kOther;
  bool is_painted = false;  // a macro's name that came of the macro itself: never expanded again
  // A space before it: where what it replaces had one, as clang spells a computed header name, and
  // where it stood itself, as gcc does.
  bool has_space = false;
  bool has_own_space = false;
  std::string text;

  bool Is(std::string_view other) const { return kind == Kind::kOther && text == other; }
};

// Of the operators only # and ## (and %: and %:%: for them) are tokens of more than a character.
// `has_header_names`: <…> is one literal, as clang has it wherever it stands in an #include.
std::vector<Token> Tokenize(std::string_view text, bool has_header_names = false);

}  // namespace llama::scan
