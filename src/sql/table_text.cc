#include "sql/table_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <vector>

#include "base/text/format.h"
#include "base/text/json.h"
#include "base/text/text_writer.h"

namespace llama::sql {
namespace {

// As many digits as say which number it is, but not those that only its binary form has.
std::string ShowReal(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.15g", value);
  std::string out(text);
  if (out.find_first_not_of("-0123456789") == std::string::npos) out += ".0";
  return out;
}

// The shortest that reads back the same; JSON's numbers, but infinite ones: "inf" and "-inf", as
// most readers of CSV take them.
std::string ExactReal(double value) {
  return std::isinf(value) ? ShowReal(value) : JsonWriter().Double(value).Take();
}

std::string Show(const Cell& cell) {
  switch (cell.type) {
    case CellType::kInt:
      return std::to_string(cell.integer);
    case CellType::kDouble:
      return ShowReal(cell.real);
    case CellType::kText:
    case CellType::kJson:
      return std::string(cell.text());
    default:
      return "";
  }
}

bool IsNumber(const Cell& cell) {
  return cell.type == CellType::kInt || cell.type == CellType::kDouble;
}

class AlignedWriter final : public TableWriter {
 public:
  AlignedWriter(const TableStyle& style, Output output)
      : style_(style), output_(std::move(output)) {}

  void Begin(std::span<const std::string> columns) override {
    columns_.clear();
    for (const std::string& name : columns) {
      columns_.push_back({Fit(name), 0, true});
      columns_.back().width = DisplayWidth(columns_.back().name);
    }
    waiting_.clear();
    begun_ = false;
  }
  void Add(std::span<const Cell> row) override {
    std::vector<std::string> texts;
    for (size_t i = 0; i < row.size(); ++i) {
      texts.push_back(Fit(Show(row[i])));
      columns_[i].width = std::max(columns_[i].width, DisplayWidth(texts.back()));
      if (!begun_ && !row[i].is_null()) columns_[i].numbers &= IsNumber(row[i]);
    }
    if (begun_) return Write(texts);
    waiting_.push_back(std::move(texts));
    if (waiting_.size() == kRowsThatDecideWidths) WriteWaiting();
  }
  void End() override {
    if (!begun_) WriteWaiting();
  }

 private:
  static constexpr size_t kRowsThatDecideWidths = 1000;

  struct Column {
    std::string name;
    size_t width = 0;
    bool numbers = true;
  };

  std::string Fit(std::string_view text) const {
    std::string out = Printable(text);
    return style_.max_cell_width == 0 ? out : CutTo(out, style_.max_cell_width);
  }

  void WriteWaiting() {
    begun_ = true;
    std::vector<std::string> names;
    for (const Column& column : columns_) names.push_back(column.name);
    std::string header = Line(names);
    if (style_.color) header = "\x1b[1m" + header + "\x1b[0m";
    output_(header + "\n");
    for (const auto& texts : waiting_) Write(texts);
    waiting_.clear();
  }

  std::string Line(const std::vector<std::string>& texts) const {
    std::string line;
    for (size_t i = 0; i < texts.size(); ++i) {
      if (i > 0) line += "  ";
      line += columns_[i].numbers ? PadLeft(texts[i], columns_[i].width)
                                  : PadRight(texts[i], columns_[i].width);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  }
  void Write(const std::vector<std::string>& texts) { output_(Line(texts) + "\n"); }

  const TableStyle style_;
  const Output output_;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> waiting_;  // the first rows: they decide the widths
  bool begun_ = false;
};

class CsvWriter final : public TableWriter {
 public:
  explicit CsvWriter(Output output) : output_(std::move(output)) {}

  void Begin(std::span<const std::string> columns) override {
    std::string line;
    for (const std::string& name : columns) AppendText(line, name, &name == columns.data());
    output_(line + "\r\n");
  }
  void Add(std::span<const Cell> row) override {
    std::string line;
    for (const Cell& cell : row) {
      const bool first = &cell == row.data();
      if (cell.type == CellType::kDouble) {
        AppendField(line, ExactReal(cell.real), first);
      } else if (IsNumber(cell)) {
        AppendField(line, Show(cell), first);
      } else {
        AppendText(line, Show(cell), first);
      }
    }
    output_(line + "\r\n");
  }
  void End() override {}

 private:
  // Field names come from foreign traces as well.
  static void AppendText(std::string& line, const std::string& text, bool first) {
    AppendField(line, IsFormula(text) ? "'" + text : text, first);
  }
  static void AppendField(std::string& line, std::string_view text, bool first) {
    if (!first) line += ',';
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      line += text;
      return;
    }
    line += '"';
    for (const char c : text) {
      line += c;
      if (c == '"') line += c;
    }
    line += '"';
  }

  const Output output_;
};

class JsonTableWriter final : public TableWriter {
 public:
  explicit JsonTableWriter(Output output) : output_(std::move(output)) {}

  void Begin(std::span<const std::string> columns) override {
    keys_.clear();
    std::set<std::string> taken;
    for (const std::string& name : columns) {
      std::string key = name;
      for (int i = 2; !taken.insert(key).second; ++i) key = name + "_" + std::to_string(i);
      keys_.push_back(std::move(key));
    }
    rows_ = 0;
    output_("[");
  }
  void Add(std::span<const Cell> row) override {
    JsonWriter json;
    json.BeginObject();
    for (size_t i = 0; i < row.size(); ++i) {
      json.Key(keys_[i]);
      if (row[i].type == CellType::kInt) {
        json.Int(row[i].integer);
      } else if (row[i].type == CellType::kDouble) {
        json.Double(row[i].real);
      } else if (row[i].is_text()) {
        json.String(row[i].text());
      } else {
        json.Null();
      }
    }
    json.EndObject();
    output_((rows_++ > 0 ? ",\n" : "") + json.Take());
  }
  void End() override { output_("]\n"); }

 private:
  const Output output_;
  std::vector<std::string> keys_;
  uint64_t rows_ = 0;
};

class MarkdownWriter final : public TableWriter {
 public:
  explicit MarkdownWriter(Output output) : output_(std::move(output)) {}

  void Begin(std::span<const std::string> columns) override {
    header_ = "|";
    for (const std::string& name : columns) AppendCell(header_, name);
    columns_ = columns.size();
    begun_ = false;
  }
  void Add(std::span<const Cell> row) override {
    if (!begun_) WriteHeader(row);
    std::string line = "|";
    for (const Cell& cell : row) AppendCell(line, Show(cell));
    output_(line + "\n");
  }
  void End() override {
    if (!begun_) WriteHeader({});
  }

 private:
  // The first row says which columns are numbers.
  void WriteHeader(std::span<const Cell> first) {
    begun_ = true;
    std::string line = "|";
    for (size_t i = 0; i < columns_; ++i) {
      line += i < first.size() && IsNumber(first[i]) ? " ---: |" : " --- |";
    }
    output_(header_ + "\n" + line + "\n");
  }
  static void AppendCell(std::string& line, std::string_view text) {
    line += ' ';
    for (const char c : Printable(text)) {
      if (c == '|' || c == '\\') line += '\\';
      line += c;
    }
    line += " |";
  }

  const Output output_;
  std::string header_;
  size_t columns_ = 0;
  bool begun_ = false;
};

class VerticalWriter final : public TableWriter {
 public:
  VerticalWriter(const TableStyle& style, Output output)
      : style_(style), output_(std::move(output)) {}

  void Begin(std::span<const std::string> columns) override {
    names_.clear();
    size_t width = 0;
    for (const std::string& name : columns) {
      names_.push_back(Printable(name));
      width = std::max(width, DisplayWidth(names_.back()));
    }
    for (std::string& name : names_) name = PadRight(name, width);
    rows_ = 0;
  }
  void Add(std::span<const Cell> row) override {
    const std::string title = "-[ row " + std::to_string(++rows_) + " ]-";
    std::string text = style_.color ? "\x1b[1m" + title + "\x1b[0m\n" : title + "\n";
    for (size_t i = 0; i < row.size(); ++i) {
      std::string line = names_[i] + "  " + Printable(Show(row[i]));
      line.erase(line.find_last_not_of(' ') + 1);
      text.append(line).append("\n");
    }
    output_(text);
  }
  void End() override {
    if (rows_ == 0) output_("no rows\n");
  }

 private:
  const TableStyle style_;
  const Output output_;
  std::vector<std::string> names_;
  uint64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<TableWriter> TableWriter::Create(const TableStyle& style, Output output) {
  switch (style.format) {
    case TableFormat::kAligned:
      return std::make_unique<AlignedWriter>(style, std::move(output));
    case TableFormat::kCsv:
      return std::make_unique<CsvWriter>(std::move(output));
    case TableFormat::kJson:
      return std::make_unique<JsonTableWriter>(std::move(output));
    case TableFormat::kMarkdown:
      return std::make_unique<MarkdownWriter>(std::move(output));
    case TableFormat::kVertical:
      return std::make_unique<VerticalWriter>(style, std::move(output));
  }
  return nullptr;
}

}  // namespace llama::sql
