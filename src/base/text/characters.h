// Characters as a terminal shows them: what text for people is measured and cleaned by.
#pragma once

#include <cstddef>
#include <string_view>

namespace llama {

struct Character {
  char32_t code = 0;  // kNoCharacter where the bytes are no UTF-8
  size_t bytes = 1;   // that it takes
};
inline constexpr char32_t kNoCharacter = 0x110000;

// The first character of `text`, which is not empty.
Character FirstCharacter(std::string_view text);
// Columns on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks, else 1
// (Unicode 14, UAX #11; ambiguous ones are narrow).
size_t WidthOf(char32_t code);
// Whether showing it could do something other than show it, or show nothing: controls, line and
// paragraph separators, bidirectional controls, zero-width characters, and what is no character.
bool IsHazard(char32_t code);

}  // namespace llama
