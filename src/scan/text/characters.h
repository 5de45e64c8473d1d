// What characters are to the preprocessor, by default options: names may have "$" and any byte of
// UTF-8 in them.
#pragma once

namespace llama::scan {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool IsNameCharacter(char c) { return IsNameStart(c) || IsDigit(c); }
// Within a line.
constexpr bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == '\0';
}
constexpr bool IsSpace(char c) { return IsBlank(c) || c == '\n'; }

}  // namespace llama::scan
