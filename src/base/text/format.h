// Figures for people: three significant digits and a unit. Used wherever a terminal shows numbers.
// Negative durations and byte counts do not occur; they show as nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llama {

std::string FormatDuration(
    int64_t ns);  // "0", "740 ns", "12.3 µs", "1.23 s", "2 min 03 s", "1 h 02 min"
std::string FormatBytes(int64_t bytes);   // "0 B", "999 B", "1.23 MB": powers of 1000
std::string FormatCount(uint64_t count);  // "1,234,567"
std::string FormatUsd(double usd);        // "$0.000012", "$0.0123", "$12.35"
std::string FormatFixed(double value, int digits);

// Columns on a terminal (base/text/characters.h).
size_t DisplayWidth(std::string_view text);
std::string PadLeft(std::string_view text, size_t width);
std::string PadRight(std::string_view text, size_t width);
// What a terminal would obey or not show becomes '?' (base/text/characters.h, IsHazard): names come
// from foreign files, and could clear the screen or turn a line around.
std::string Printable(std::string_view text);
// Whether a spreadsheet takes a text for a formula, and computes it: readers of CSV are told that
// it is a text by an apostrophe before it.
bool IsFormula(std::string_view text);

}  // namespace llama
