#include "base/text/text_writer.h"

#include <algorithm>

#include "base/text/characters.h"

namespace llama {
namespace {

constexpr size_t kLabelWidth = 16;
constexpr size_t kGap = 2;
constexpr size_t kMargin = 2;
// Less than this is no room for a text: it gets lines of its own.
constexpr size_t kLeastText = 24;
constexpr size_t kOwnLineIndent = 6;
// Of one text beside others: what is longer than this comes from no person.
constexpr size_t kMostLines = 8;

// How many bytes of `word`, which is wider than `columns`, go to one line: up to the last '/' in
// its second half, so that the parts of a path stay whole.
size_t BreakOf(std::string_view word, size_t columns) {
  size_t bytes = 0;
  size_t used = 0;
  size_t after_slash = 0;
  while (bytes < word.size()) {
    const Character character = FirstCharacter(word.substr(bytes));
    used += WidthOf(character.code);
    if (used > columns && bytes > 0) break;
    bytes += character.bytes;
    if (word[bytes - 1] == '/' && used * 2 > columns) after_slash = bytes;
  }
  return after_slash > 0 ? after_slash : bytes;
}

// `text` in lines of which the first goes behind what stands in `used` columns.
std::string Hanging(std::string_view text, size_t used, size_t columns) {
  const bool fits = used + DisplayWidth(text) <= columns;
  if (fits) return std::string(text);
  const bool own_lines = used + kLeastText > columns;
  const size_t indent = own_lines ? kOwnLineIndent : used;
  std::string out;
  for (const std::string& line :
       Wrap(CutFront(text, kMostLines * (columns - indent)), columns - indent)) {
    if (own_lines || !out.empty()) out.append("\n").append(indent, ' ');
    out += line;
  }
  return out;
}

// A figure and its percent sign are one word.
size_t EndOfWord(std::string_view text) {
  size_t space = text.find(' ');
  while (space != text.npos && text.substr(space + 1).starts_with('%')) {
    space = text.find(' ', space + 1);
  }
  return std::min(space, text.size());
}

// Blanks before the ends of lines, which nobody sees.
void EraseTrailing(std::string& lines) {
  for (size_t end = lines.find(" \n"); end != lines.npos; end = lines.find(" \n", end)) {
    const size_t last = lines.find_last_not_of(' ', end);
    const size_t begin = last == lines.npos ? 0 : last + 1;
    lines.erase(begin, end + 1 - begin);
    end = begin;
  }
}

}  // namespace

void TextWriter::Line(std::string_view label, std::string_view text) {
  const std::string behind = Hanging(text, kMargin + kLabelWidth, style_.columns);
  out_.append(kMargin, ' ').append(Styled("2", PadRight(label, kLabelWidth)));
  out_.append(behind).append("\n");
}

void TextWriter::Heading(std::string_view text) {
  for (const std::string& line : Wrap(text, style_.columns)) Raw(Styled("1", line));
}

void TextWriter::Paragraph(std::string_view text, size_t indent) {
  for (const std::string& line : Wrap(text, style_.columns - indent)) {
    Raw(std::string(indent, ' ') + line);
  }
}

std::string TextWriter::Styled(const char* code, std::string_view text) const {
  if (!style_.color) return std::string(text);
  return std::string("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
}

// Which columns are shown, and how wide.
struct TextTable::Layout {
  std::vector<size_t> shown;
  std::vector<size_t> widths;  // of all columns
  std::vector<size_t> left_out;
  size_t columns = 0;
};

TextTable::Layout TextTable::Arrange(size_t columns) const {
  Layout out;
  out.columns = columns;
  out.widths.assign(heading_.size(), 0);
  const auto widen = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      out.widths[i] = std::max(out.widths[i], DisplayWidth(cells[i]));
    }
  };
  widen(heading_);
  for (const auto& row : rows_) widen(row);
  for (size_t i = 0; i < heading_.size(); ++i) out.shown.push_back(i);
  const auto needed = [&] {
    size_t used = kMargin;
    for (const size_t i : out.shown) {
      const bool is_text = text_last_ && i + 1 == heading_.size();
      used += (is_text ? std::min(out.widths[i], kLeastText) : out.widths[i]) + kGap;
    }
    return used - kGap;
  };
  for (const size_t i : spare_) {
    if (needed() <= columns) break;
    std::erase(out.shown, i);
    out.left_out.push_back(i);
  }
  std::sort(out.left_out.begin(), out.left_out.end());
  return out;
}

std::string TextTable::Row(const std::vector<std::string>& cells, const Layout& layout) const {
  std::string line(kMargin, ' ');
  size_t used = kMargin;
  for (const size_t i : layout.shown) {
    if (i >= cells.size()) break;
    if (i > 0) line.append(kGap, ' ');
    used += i > 0 ? kGap : 0;
    if (text_last_ && i + 1 == heading_.size()) {
      line += Hanging(cells[i], used, layout.columns);
    } else {
      line += i == 0 ? PadRight(cells[i], layout.widths[i]) : PadLeft(cells[i], layout.widths[i]);
    }
    used += layout.widths[i];
  }
  EraseTrailing(line);
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

void TextTable::Write(TextWriter& out) const {
  const Layout layout = Arrange(out.columns());
  out.Raw(out.Styled("2", Row(heading_, layout)));
  for (const auto& row : rows_) out.Raw(Row(row, layout));
  if (layout.left_out.empty()) return;
  std::string names;
  for (const size_t i : layout.left_out) {
    names += (names.empty() ? "" : ", ") + heading_[i];
  }
  for (const std::string& line :
       Wrap("(a wider terminal shows: " + names + ")", out.columns() - kMargin)) {
    out.Raw(std::string(kMargin, ' ') + out.Styled("2", line));
  }
}

std::vector<std::string> Wrap(std::string_view text, size_t columns) {
  std::vector<std::string> lines;
  size_t used = 0;
  while (!text.empty()) {
    const size_t space = EndOfWord(text);
    std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    const size_t width = DisplayWidth(word);
    if (lines.empty() || used + 1 + width > columns) {
      lines.emplace_back();
      used = 0;
    } else {
      lines.back() += ' ';
      ++used;
    }
    size_t left = width;
    while (left > columns) {
      const std::string_view piece = word.substr(0, BreakOf(word, columns));
      lines.back() += piece;
      left -= DisplayWidth(piece);
      word.remove_prefix(piece.size());
      lines.emplace_back();
      used = 0;
    }
    lines.back() += word;
    used += left;
  }
  return lines;
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

std::string WithName(std::string_view line, std::string_view name, size_t columns) {
  std::string out = std::string(line) + Hanging(Printable(name), DisplayWidth(line), columns);
  EraseTrailing(out);
  return out;
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
