// SqlTable: what `llama sql` shows as a table: rows that are numbered from 0, and cells that are
// computed when they are asked for. sql/module.h makes a virtual table of it, which filters,
// sorts and finds rows here, on columns, before SQLite sees any.
//
// Immutable but for what it computes on first use; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traces/columns/field_column.h"

namespace llama::sql {

enum class CellType : uint8_t {
  kNull,
  kInt,
  kDouble,
  kText,
  kJson,
  kBlob,  // what a cell may be compared with, but never is: greater than all others
};

// One value on its way to SQLite.
struct Cell {
  struct Bytes {
    const char* data;
    size_t size;
  };

  CellType type = CellType::kNull;
  bool transient = false;  // the text is gone after the next call
  uint32_t text_id = 0;    // not 0: cells of this column with the same id have the same text
  union {
    int64_t integer = 0;  // kInt
    double real;          // kDouble
    Bytes bytes;          // kText and kJson
  };

  static Cell Null() { return {}; }
  static Cell Int(int64_t v) {
    Cell cell;
    cell.type = CellType::kInt;
    cell.integer = v;
    return cell;
  }
  static Cell Double(double v) {
    Cell cell;
    if (v != v) return cell;  // SQL has no NaN
    cell.type = CellType::kDouble;
    cell.real = v;
    return cell;
  }
  static Cell Text(std::string_view v, uint32_t text_id = 0, CellType type = CellType::kText) {
    Cell cell;
    cell.type = type;
    cell.text_id = text_id;
    cell.bytes = {v.data(), v.size()};
    return cell;
  }
  static Cell Blob() {
    Cell cell;
    cell.type = CellType::kBlob;
    return cell;
  }
  static Cell Transient(std::string_view v, uint32_t text_id = 0) {
    Cell cell = Text(v, text_id);
    cell.transient = true;
    return cell;
  }

  bool is_null() const { return type == CellType::kNull; }
  bool is_text() const { return type == CellType::kText || type == CellType::kJson; }
  std::string_view text() const { return {bytes.data, bytes.size}; }
};

// A cell that owns its text.
class OwnedCell {
 public:
  OwnedCell() = default;
  OwnedCell(const Cell& cell) { Set(cell); }  // NOLINT
  void Set(const Cell& cell) {
    cell_ = cell;
    if (!cell.is_text()) return;
    text_ = cell.text();
    cell_.transient = false;
    cell_.text_id = 0;
  }
  // Valid as long as this one.
  Cell Get() const {
    return cell_.is_text() ? Cell::Text(text_, cell_.text_id, cell_.type) : cell_;
  }

 private:
  Cell cell_;  // where its text, if it is one, was; that is in text_
  std::string text_;
};

// Below 0, 0, above 0, in SQLite's order: null, numbers by value (exactly, integer against real,
// too), text by its bytes.
int CompareCells(const Cell& a, const Cell& b);

// SQLite's affinity, by which it converts what a column is compared with.
enum class Affinity : uint8_t {
  kInteger,  // only integers, or null
  kNumeric,  // only numbers, or null
  kText,     // only text, or null
  kNone,     // anything
};

struct SqlColumn {
  std::string name;
  Affinity affinity = Affinity::kNone;
  uint64_t values = 0;    // that are not null, about: for SQLite's planner
  uint64_t distinct = 0;  // of these; 0: not known
};

// Some rows of a table: those of [begin, end), or a list, which is the table's or this one's own.
class RowSet {
 public:
  RowSet() = default;
  RowSet(RowSet&&) = default;
  RowSet& operator=(RowSet&&) = default;

  static RowSet Range(traces::Row begin, traces::Row end) {
    RowSet set;
    set.begin_ = begin;
    set.size_ = end - begin;
    return set;
  }
  static RowSet List(std::span<const traces::Row> rows) {
    RowSet set;
    set.list_ = rows.data();
    set.size_ = rows.size();
    set.listed_ = true;
    return set;
  }
  static RowSet Own(std::vector<traces::Row> rows) {
    RowSet set = List(rows);
    set.owned_ = std::move(rows);  // its elements stay where they are
    return set;
  }
  size_t size() const { return size_; }
  traces::Row operator[](size_t i) const {
    return listed_ ? list_[i] : begin_ + static_cast<traces::Row>(i);
  }

 private:
  traces::Row begin_ = 0;
  bool listed_ = false;
  const traces::Row* list_ = nullptr;
  size_t size_ = 0;
  std::vector<traces::Row> owned_;
};

class SqlTable {
 public:
  virtual ~SqlTable() = default;

  // At most kMaxSqlColumns.
  virtual const std::vector<SqlColumn>& columns() const = 0;
  virtual traces::Row rows() const = 0;
  // `scratch` is for text that must be made; the cell is then transient.
  virtual Cell At(traces::Row row, int column, std::string& scratch) const = 0;

  // The rows whose cell equals `value`, in any order, where the table can tell at once; `value` is
  // of the column's affinity.
  virtual std::optional<RowSet> Find(int /*column*/, const Cell& /*value*/) const {
    return std::nullopt;
  }
  // The rows whose cell is not null, in row order, where that is less work than looking at all of
  // them.
  virtual std::optional<RowSet> FindPresent(int /*column*/) const { return std::nullopt; }
  // All rows by the column, ascending, rows of equal cells in row order; where the table can tell
  // at once.
  virtual std::optional<std::vector<traces::Row>> SortedBy(int /*column*/) const {
    return std::nullopt;
  }
};

// What SQLite takes as it is usually compiled (SQLITE_MAX_COLUMN).
inline constexpr int kMaxSqlColumns = 2000;

// Of `rowid` where a column's number is meant.
inline constexpr int kRowIdColumn = -1;

inline Cell CellAt(const SqlTable& table, traces::Row row, int column, std::string& scratch) {
  return column == kRowIdColumn ? Cell::Int(row) : table.At(row, column, scratch);
}

}  // namespace llama::sql
