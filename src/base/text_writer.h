// TextWriter: the parts that reports for people are put together from, headings, labelled lines and
// tables, in colour or without.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/format.h"

namespace llama {

struct TextStyle {
  bool color = false;
};

inline constexpr size_t kTextColumns = 100;  // of a report, where the names allow

class TextWriter {
 public:
  explicit TextWriter(const TextStyle& style) : style_(style) {}

  // "  label           text"
  void Line(std::string_view label, std::string_view text);
  void Heading(std::string_view text) { Raw(Styled("1", text)); }
  void Raw(std::string_view text) { out_.append(text).append("\n"); }
  // What was formatted elsewhere: whole lines.
  void Block(std::string_view lines) { out_.append(lines); }
  std::string Styled(const char* code, std::string_view text) const;

  const std::string& text() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  const TextStyle style_;
  std::string out_;
};

// Cells in step: the first column to the left, others to the right but the last, if it is text.
// Cells must be fit for a terminal; the last one is cut where it would pass kTextColumns.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heading, bool text_last = false)
      : heading_(std::move(heading)), text_last_(text_last) {}
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  void Write(TextWriter& out) const;

 private:
  std::string Row(const std::vector<std::string>& cells, std::span<const size_t> widths) const;

  const std::vector<std::string> heading_;
  const bool text_last_;
  std::vector<std::vector<std::string>> rows_;
};

// "1 retry", "2,000 retries".
std::string Plural(uint64_t count, std::string_view one, std::string_view many);
// The first `width` columns of it, the last one "…" if there would be more.
std::string CutTo(std::string_view text, size_t width);
// The end of it, behind "…": paths differ at their ends.
std::string CutFront(std::string_view text, size_t width);
// A name that goes behind `line`: fit for a terminal, its front cut where it would pass
// kTextColumns.
std::string FrontCutToLine(std::string_view line, std::string_view name);
// "12 %", "0.4 %"; "0 %" and "100 %" only if it is exactly that.
std::string FormatShare(double share);

}  // namespace llama
