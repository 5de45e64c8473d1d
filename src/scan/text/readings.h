// Readings: how a source is cut into lines and tokens depends on options that its text doesn't tell
// (the language, -trigraphs, which compiler it is). Whoever must miss nothing reads it in every way
// in which the text is doubtful, and nearly every text is doubtful in none.
#pragma once

#include <functional>
#include <string_view>

namespace llama::scan {

// What a reading does otherwise than the common one; as bits.
enum Doubt : unsigned {
  kTrigraphs = 1,        // ??= is #, and ??/ a backslash (-std=c99, -trigraphs)
  kCarriageReturns = 2,  // one that stands alone ends a line (clang)
  kJoined = 4,        // lines are joined beforehand: some backslash-newline stands within a token
  kNoRawStrings = 8,  // R"( is a macro before a string (C90, C++98)
  kNoDigitSeparators = 16,  // 1'000 holds the beginning of a character (C before C23)
  kLongRawStrings = 32,     // a raw string in a directive may span lines (clang)
  kVerbatimMessages = 64,   // no comment begins in the line of an #error or #warning (clang)
};
inline constexpr unsigned kReadings = 128;

// Calls read(text as this reading has it, its bits) for each reading that is called for, first the
// common one. `read` answers with the doubts that it came upon.
void ForEachReading(std::string_view text,
                    const std::function<unsigned(std::string_view, unsigned)>& read);

// Whether the backslash at text[at] and what follows it continue the line: where the next one
// starts, or 0. Blanks may come between, as gcc and clang have it.
size_t EndOfSplice(std::string_view text, size_t at);

}  // namespace llama::scan
