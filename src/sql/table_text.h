// Tables as text: the rows of a query, aligned for people, a column a line, or as CSV, JSON or
// Markdown. Rows are
// written as they come; memory does not grow with their number.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sql/table.h"

namespace llama::sql {

enum class TableFormat {
  kAligned,   // columns in step, numbers to the right, control characters replaced
  kCsv,       // RFC 4180 with a header line; null is an empty field
  kJson,      // an array of objects; of two columns with the same name the second is name_2
  kMarkdown,  // a pipe table
  kVertical,  // a line a column, below a line that numbers the row; nothing is cut
};

struct TableStyle {
  TableFormat format = TableFormat::kAligned;
  bool color = false;         // of the aligned table's header, and of what numbers a row
  size_t max_cell_width = 0;  // of the aligned table; what is longer ends in "…"; 0: no limit
};

class TableWriter {
 public:
  using Output = std::function<void(std::string_view)>;

  virtual ~TableWriter() = default;
  virtual void Begin(std::span<const std::string> columns) = 0;
  virtual void Add(std::span<const Cell> row) = 0;
  virtual void End() = 0;

  static std::unique_ptr<TableWriter> Create(const TableStyle& style, Output output);
};

}  // namespace llama::sql
