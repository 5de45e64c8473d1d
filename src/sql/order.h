// Sorting rows of a SqlTable by its cells, in SQLite's order. SQLite's own sorter copies every row
// that a query needs; here only row numbers move, so that ORDER BY and GROUP BY over millions of
// spans are cheap.
#pragma once

#include <span>
#include <vector>

#include "sql/table.h"

namespace llama::sql {

struct OrderTerm {
  int column = 0;
  bool descending = false;  // nulls last, too
};

// Stable: rows that are equal in all terms keep their order.
std::vector<traces::Row> SortRows(const SqlTable& table, std::vector<traces::Row> rows,
                                  std::span<const OrderTerm> terms);

}  // namespace llama::sql
