// The small tables of `llama sql`: `builds`, a row a build, and `phases`, a row for each name of
// spans in each build (docs/sql.md). Whole in memory, made when a query first names them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "builds/record.h"
#include "sql/compiles.h"
#include "sql/table.h"
#include "traces/columns/columns.h"

namespace llama::sql {

// A table of rows that a function makes.
class MadeTable final : public SqlTable {
 public:
  using Rows = std::vector<std::vector<OwnedCell>>;  // each with a cell a column

  MadeTable(std::vector<SqlColumn> columns, std::function<Rows()> make)
      : columns_(std::move(columns)), make_(std::move(make)) {}

  const std::vector<SqlColumn>& columns() const override { return columns_; }
  traces::Row rows() const override { return static_cast<traces::Row>(Made().size()); }
  Cell At(traces::Row row, int column, std::string& /*scratch*/) const override {
    return Made()[row][static_cast<size_t>(column)].Get();
  }

 private:
  const Rows& Made() const {
    if (make_) rows_ = std::exchange(make_, nullptr)();
    return rows_;
  }

  std::vector<SqlColumn> columns_;
  mutable std::function<Rows()> make_;  // until it has been called
  mutable Rows rows_;
};

// What they refer to must outlive them. `records` are of columns.builds(), where there are any.
std::unique_ptr<SqlTable> PhasesTable(const traces::Columns& columns,
                                      const std::vector<std::string>& build_names);
std::unique_ptr<SqlTable> BuildsTable(const traces::Columns& columns, const CompilesTable& compiles,
                                      const std::vector<std::string>& build_names,
                                      const std::vector<builds::BuildRecord>& records);

}  // namespace llama::sql
