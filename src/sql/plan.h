// SqlPlan: what a virtual table does of a query by itself: which constraints it applies and in
// which order it gives its rows. SQLite asks for a plan while it prepares a statement (xBestIndex)
// and hands it back, as text, each time that it runs the scan (xFilter).
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>
#include <vector>

#include "sql/order.h"
#include "sql/table.h"

namespace llama::sql {

enum class SqlOp : char {
  kEqual = '=',
  kIn = 'i',  // any of a list
  kLess = '<',
  kAtMost = 'l',
  kGreater = '>',
  kAtLeast = 'g',
  kNull = '0',     // takes no value: SQLite looks again
  kPresent = '1',  // is not null; likewise
};

struct SqlConstraint {
  int column = 0;
  SqlOp op = SqlOp::kEqual;
  bool takes_value() const { return op != SqlOp::kNull && op != SqlOp::kPresent; }
};

struct SqlPlan {
  std::vector<SqlConstraint> constraints;  // those that take values, in the order of xFilter's
  std::vector<OrderTerm> order;            // empty: any

  std::string ToText() const;
  static SqlPlan FromText(std::string_view text);
};

// Fills in what SQLite asks of xBestIndex.
int ChoosePlan(const SqlTable& table, sqlite3_index_info& info);

}  // namespace llama::sql
