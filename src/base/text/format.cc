#include "base/text/format.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "base/text/characters.h"

namespace llama {
namespace {

// "1.23", "12.3", "123" for 1 ≤ value < 1000.
std::string ThreeDigits(double value) {
  if (value < 9.995) return FormatFixed(value, 2);
  if (value < 99.95) return FormatFixed(value, 1);
  return FormatFixed(value, 0);
}

std::string TwoUnits(int64_t large, const char* large_unit, int64_t small, const char* small_unit) {
  char text[64];
  std::snprintf(text, sizeof text, "%lld %s %02lld %s", static_cast<long long>(large), large_unit,
                static_cast<long long>(small), small_unit);
  return text;
}

}  // namespace

std::string FormatFixed(double value, int digits) {
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string FormatDuration(int64_t ns) {
  if (ns <= 0) return "0";
  if (ns < 1000) return std::to_string(ns) + " ns";
  const auto value = static_cast<double>(ns);
  if (value < 999.5e3) return ThreeDigits(value / 1e3) + " µs";
  if (value < 999.5e6) return ThreeDigits(value / 1e6) + " ms";
  if (value < 99.95e9) return ThreeDigits(value / 1e9) + " s";
  const int64_t seconds = ns / 1'000'000'000 + (ns % 1'000'000'000 >= 500'000'000 ? 1 : 0);
  if (seconds < 3600) return TwoUnits(seconds / 60, "min", seconds % 60, "s");
  return TwoUnits(seconds / 3600, "h", seconds / 60 % 60, "min");
}

std::string FormatBytes(int64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes <= 0) return "0 B";
  if (bytes < 1000) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return ThreeDigits(value) + " " + kUnits[unit];
}

std::string FormatCount(uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

std::string FormatUsd(double usd) {
  if (usd == 0) return "$0";
  char text[400];
  std::snprintf(text, sizeof text, "$%.*f", usd >= 1 ? 2 : usd >= 0.01 ? 4 : 6, usd);
  return text;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    width += WidthOf(character.code);
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string PadLeft(std::string_view text, size_t width) {
  const size_t used = DisplayWidth(text);
  return std::string(width > used ? width - used : 0, ' ').append(text);
}

std::string PadRight(std::string_view text, size_t width) {
  const size_t used = DisplayWidth(text);
  return std::string(text).append(width > used ? width - used : 0, ' ');
}

bool IsFormula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != text.npos;
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    out.append(IsHazard(character.code) ? std::string_view("?") : text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
  return out;
}

}  // namespace llama
