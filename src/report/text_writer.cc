#include "report/text_writer.h"

#include <algorithm>

namespace llama::report {
namespace {

constexpr size_t kLabelWidth = 16;
constexpr size_t kGap = 2;

bool Continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

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
  for (size_t columns = 0; bytes < text.size(); ++bytes) {
    if (!Continues(text[bytes]) && ++columns >= width) break;
  }
  return std::string(text.substr(0, bytes)).append("…");
}

std::string CutFront(std::string_view text, size_t width) {
  size_t left = DisplayWidth(text);
  if (left <= width) return std::string(text);
  size_t bytes = 0;
  for (; bytes < text.size() && (left >= width || Continues(text[bytes])); ++bytes) {
    if (!Continues(text[bytes])) --left;
  }
  return std::string("…").append(text.substr(bytes));
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

}  // namespace llama::report
