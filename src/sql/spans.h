// The table `spans` of `llama sql`: a row a span, what every span has and every field as a column
// (docs/sql.md).
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sql/names.h"
#include "sql/table.h"
#include "traces/columns/columns.h"

namespace llama::sql {

// What the user called each of columns.builds(): its name if it was given one, or else its id.
std::vector<std::string> BuildNames(const traces::Columns& columns);

Cell FieldCell(const traces::Columns& columns, const traces::FieldColumn& field, traces::Row row);

class SpansTable final : public SqlTable {
 public:
  // `columns` must outlive it. `build_names` has an entry for each of its builds.
  SpansTable(const traces::Columns& columns, std::vector<std::string> build_names);

  const std::vector<SqlColumn>& columns() const override { return sql_columns_; }
  traces::Row rows() const override { return data_.size(); }
  Cell At(traces::Row row, int column, std::string& scratch) const override;
  std::optional<RowSet> Find(int column, const Cell& value) const override;
  std::optional<RowSet> FindPresent(int column) const override;
  std::optional<std::vector<traces::Row>> SortedBy(int column) const override;

  // By name; one that there is.
  int FixedColumn(std::string_view name) const;
  // What the column of a field is called; nothing if it has none.
  std::optional<std::string> ColumnOfField(std::string_view field) const;
  // Fields that have no column of their own: there are more than SQLite can take.
  size_t fields_without_column() const { return data_.field_count() - fields_with_column_; }

 private:
  const traces::FieldColumn& Field(size_t index) const;
  Cell PathAt(uint32_t path, std::string& scratch) const;
  int64_t BuildStart(uint32_t build) const;
  std::optional<RowSet> FindBuild(std::string_view text, bool by_name) const;
  std::optional<RowSet> FindTrace(std::string_view hex) const;

  const traces::Columns& data_;
  // Of data_: asked for in every cell.
  const std::span<const uint32_t> build_;
  const std::span<const traces::StringId> name_;
  const std::span<const int64_t> start_ns_;
  const std::span<const int64_t> duration_ns_;
  const std::span<const int64_t> self_ns_;
  const std::span<const uint16_t> depth_;
  const std::span<const traces::Row> parent_;
  const std::span<const uint32_t> path_;
  const traces::StringPool& strings_;
  const std::vector<std::string> build_names_;
  std::vector<SqlColumn> sql_columns_;
  std::vector<FieldName> fields_;
  size_t fields_with_column_ = 0;  // those of fields_ that some span has
  bool builds_in_order_ = false;   // the rows of each stand together

  // Made when they are first needed.
  mutable std::vector<const traces::FieldColumn*> field_columns_;
  mutable std::vector<std::string> path_texts_;
  mutable std::vector<int64_t> build_starts_;
  mutable std::unordered_map<uint64_t, std::vector<uint32_t>> traces_by_low_id_;
};

}  // namespace llama::sql
