// TextWriter: the parts that reports for people are put together from, headings, labelled lines and
// tables, in colour or without.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text/format.h"

namespace llama {

inline constexpr size_t kTextColumns = 100;  // of a report, where no terminal says otherwise
inline constexpr size_t kLeastColumns = 50;  // of a terminal that is narrower, too

struct TextStyle {
  bool color = false;
  size_t columns = kTextColumns;
};

class TextWriter {
 public:
  explicit TextWriter(const TextStyle& style) : style_(style) {}

  // "  label           text", wrapped.
  void Line(std::string_view label, std::string_view text);
  void Heading(std::string_view text);  // wrapped
  void Raw(std::string_view text) { out_.append(text).append("\n"); }
  // Wrapped, each line behind `indent` blanks.
  void Paragraph(std::string_view text, size_t indent = 2);
  // What was formatted elsewhere: whole lines.
  void Block(std::string_view lines) { out_.append(lines); }
  std::string Styled(const char* code, std::string_view text) const;

  size_t columns() const { return style_.columns; }
  const TextStyle& style() const { return style_; }
  const std::string& text() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  const TextStyle style_;
  std::string out_;
};

// Cells in step: the first column to the left, others to the right but the last, if it is text.
// Cells must be fit for a terminal; the last one, if it is text, goes on in lines below where it
// would pass the writer's columns. Of the columns `spare` (by index) as many as don't fit are left
// out, the first of them first, and named below the table.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heading, bool text_last = false,
                     std::vector<size_t> spare = {})
      : heading_(std::move(heading)), text_last_(text_last), spare_(std::move(spare)) {}
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  void Write(TextWriter& out) const;

 private:
  struct Layout;
  Layout Arrange(size_t columns) const;
  std::string Row(const std::vector<std::string>& cells, const Layout& layout) const;

  const std::vector<std::string> heading_;
  const bool text_last_;
  const std::vector<size_t> spare_;
  std::vector<std::vector<std::string>> rows_;
};

// Words to lines of at most `columns`; a word that is longer is broken, a path behind a '/' if it
// can be.
std::vector<std::string> Wrap(std::string_view text, size_t columns);

// "1 retry", "2,000 retries".
std::string Plural(uint64_t count, std::string_view one, std::string_view many);
// The first `width` columns of it, the last one "…" if there would be more.
std::string CutTo(std::string_view text, size_t width);
// The end of it, behind "…": paths differ at their ends.
std::string CutFront(std::string_view text, size_t width);
// `line` with a name behind it, fit for a terminal; what of the name would pass `columns` goes on
// below its beginning, or, where that leaves little room, in lines of its own.
std::string WithName(std::string_view line, std::string_view name, size_t columns);
// "12 %", "0.4 %"; "0 %" and "100 %" only if it is exactly that.
std::string FormatShare(double share);

}  // namespace llama
