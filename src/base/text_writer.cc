#include "base/text_writer.h"

#include <algorithm>

#include "base/characters.h"

namespace llama {
namespace {

constexpr size_t kLabelWidth = 16;
constexpr size_t kGap = 2;

}  // namespace

void TextWriter::Line(std::string_view label, std::string_view text) {
  out_.append("  ").append(Styled("2", PadRight(label, kLabelWidth))).append(text).append("\n");
}

std::string TextWriter::Styled(const char* code, std::string_view text) const {
  if (!style_.color) return std::string(text);
  return std::string("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
}

std::string TextTable::Row(const std::vector<std::string>& cells,
                           std::span<const size_t> widths) const {
  std::string line = "  ";
  size_t used = 2;
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool last = i + 1 == cells.size();
    if (i > 0) line.append(kGap, ' ');
    used += i > 0 ? kGap : 0;
    if (last && text_last_) {
      line += CutTo(cells[i], kTextColumns > used ? kTextColumns - used : 1);
    } else {
      line += i == 0 ? PadRight(cells[i], widths[i]) : PadLeft(cells[i], widths[i]);
    }
    used += widths[i];
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

void TextTable::Write(TextWriter& out) const {
  std::vector<size_t> widths(heading_.size(), 0);
  const auto widen = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(cells[i]));
    }
  };
  widen(heading_);
  for (const auto& row : rows_) widen(row);
  out.Raw(out.Styled("2", Row(heading_, widths)));
  for (const auto& row : rows_) out.Raw(Row(row, widths));
}

std::string Plural(uint64_t count, std::string_view one, std::string_view many) {
  return FormatCount(count).append(" ").append(count == 1 ? one : many);
}

std::string CutTo(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  size_t bytes = 0;
  for (size_t columns = 0; bytes < text.size();) {
    const Character character = FirstCharacter(text.substr(bytes));
    columns += WidthOf(character.code);
    if (columns + 1 > width) break;
    bytes += character.bytes;
  }
  return std::string(text.substr(0, bytes)).append("…");
}

std::string CutFront(std::string_view text, size_t width) {
  size_t left = DisplayWidth(text);
  if (left <= width) return std::string(text);
  while (!text.empty() && left + 1 > width) {
    const Character character = FirstCharacter(text);
    left -= WidthOf(character.code);
    text.remove_prefix(character.bytes);
  }
  // A mark belongs to the character before it, which is gone.
  while (!text.empty() && WidthOf(FirstCharacter(text).code) == 0) {
    text.remove_prefix(FirstCharacter(text).bytes);
  }
  return std::string("…").append(text);
}

std::string FrontCutToLine(std::string_view line, std::string_view name) {
  constexpr size_t kLeast = 20;  // of a name, whatever stands before it
  const size_t used = DisplayWidth(line);
  return CutFront(Printable(name), used + kLeast < kTextColumns ? kTextColumns - used : kLeast);
}

std::string FormatShare(double share) {
  if (share == 0) return "0 %";
  if (share == 1) return "100 %";
  const double percent = share * 100;
  if (percent < 0.05) return "< 0.1 %";
  if (percent < 9.95) return FormatFixed(percent, 1) + " %";
  if (percent >= 99.5 && percent < 100) return "> 99 %";
  return FormatFixed(percent, 0) + " %";
}

}  // namespace llama
