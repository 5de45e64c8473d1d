// The tables `compiles` and `commands` of `llama sql`: a row for each compile, or for each command
// that was run remotely, with what its spans say together (docs/sql.md). A column is computed from
// the spans when a query first names it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/spans.h"
#include "sql/table.h"
#include "traces/columns/columns.h"

namespace llama::sql {

class CompilesTable final : public SqlTable {
 public:
  // A row for each span called `root`. Both must outlive it.
  CompilesTable(const traces::Columns& columns, const SpansTable& spans, std::string_view root);

  const std::vector<SqlColumn>& columns() const override { return sql_columns_; }
  traces::Row rows() const override { return static_cast<traces::Row>(roots_.size()); }
  // The span that a row is about.
  traces::Row SpanOf(traces::Row row) const { return roots_[row]; }
  Cell At(traces::Row row, int column, std::string& scratch) const override;
  std::optional<RowSet> Find(int column, const Cell& value) const override;

 private:
  using Numbers = std::vector<int64_t>;  // a number a compile, or kNone; of texts their StringId

  const Numbers& Made(size_t column) const;
  Numbers Make(size_t column) const;
  void FindMembers() const;
  // f(compile, span's row) for every span of that name that belongs to a compile.
  template <typename F>
  void ForEachMember(std::string_view span, F&& f) const;
  bool IsBelow(traces::Row row, std::string_view name) const;
  // Of each compile's first span that has the field as a text.
  void TakeFirst(const traces::FieldColumn& field, Numbers& out) const;
  void AddDurations(std::string_view span, Numbers& out) const;
  // combine(what there is, or 0; the field's value) for each span of that name.
  template <typename F>
  void Fold(std::string_view span, std::string_view field, Numbers& out, F&& combine) const;
  Numbers Transit() const;
  const std::vector<double>& Costs() const;

  const traces::Columns& data_;
  const SpansTable& spans_;
  std::vector<traces::Row> roots_;
  std::vector<SqlColumn> sql_columns_;
  std::vector<int> span_columns_;  // by column: which of `spans` it is, if it is one
  // Made when they are first needed.
  mutable std::vector<traces::Row> compile_of_;             // span's row → compile or kNoRow
  mutable std::vector<Numbers> made_;                       // by column; empty: not yet
  mutable std::vector<const traces::FieldColumn*> fields_;  // by column, likewise
  mutable std::vector<double> costs_;
};

}  // namespace llama::sql
