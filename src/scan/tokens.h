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
  bool has_space = false;   // before it
  bool is_painted = false;  // a macro's name that came of the macro itself: never expanded again
  bool begins_use = false;  // of a macro, whose name it replaces: gcc forgets such a token's space
  std::string text;

  bool Is(std::string_view other) const { return kind == Kind::kOther && text == other; }
};

// Of the operators only # and ## (and %: and %:%: for them) are tokens of more than a character.
std::vector<Token> Tokenize(std::string_view text);

// As it stood, a space where any was.
std::string Spell(const std::vector<Token>& tokens);

}  // namespace llama::scan
