#include "sql/plan.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

namespace llama::sql {
namespace {

// "IS x" and "IS NOT x" are left to SQLite, as is LIMIT: it ends the scan itself.
std::optional<SqlOp> OpOf(unsigned char op) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
      return SqlOp::kEqual;
    case SQLITE_INDEX_CONSTRAINT_GT:
      return SqlOp::kGreater;
    case SQLITE_INDEX_CONSTRAINT_GE:
      return SqlOp::kAtLeast;
    case SQLITE_INDEX_CONSTRAINT_LT:
      return SqlOp::kLess;
    case SQLITE_INDEX_CONSTRAINT_LE:
      return SqlOp::kAtMost;
    case SQLITE_INDEX_CONSTRAINT_ISNULL:
      return SqlOp::kNull;
    // None of these is true of a null; SQLite looks at the rest.
    case SQLITE_INDEX_CONSTRAINT_ISNOTNULL:
    case SQLITE_INDEX_CONSTRAINT_NE:
    case SQLITE_INDEX_CONSTRAINT_LIKE:
    case SQLITE_INDEX_CONSTRAINT_GLOB:
      return SqlOp::kPresent;
    default:
      return std::nullopt;
  }
}

struct Column {
  Affinity affinity = Affinity::kInteger;
  double values = 0;
  double distinct = 0;  // a guess where it is not known
};

Column ColumnOf(const SqlTable& table, int number) {
  const double rows = table.rows();
  if (number == kRowIdColumn) return {Affinity::kInteger, rows, rows};
  const SqlColumn& column = table.columns()[static_cast<size_t>(number)];
  const auto values = static_cast<double>(column.values);
  const double distinct =
      column.distinct > 0 ? static_cast<double>(column.distinct) : std::sqrt(values) + 1;
  return {column.affinity, values, std::max(distinct, 1.0)};
}

// The share of the rows that a constraint leaves.
double Selectivity(const Column& column, SqlOp op, double rows) {
  const double present = rows > 0 ? column.values / rows : 0;
  switch (op) {
    case SqlOp::kEqual:
      return present / column.distinct;
    case SqlOp::kIn:
      return present * std::min(1.0, 4 / column.distinct);
    case SqlOp::kNull:
      return 1 - present;
    case SqlOp::kPresent:
      return present;
    default:
      return present / 4;
  }
}

// Whether what SQLite compares is what Scan compares, so that SQLite need not look again. A text
// column against a number depends on where the number comes from.
bool IsExact(sqlite3_index_info& info, int i, const Column& column, SqlOp op) {
  if (op == SqlOp::kIn) return false;
  if (column.affinity == Affinity::kInteger || column.affinity == Affinity::kNumeric) return true;
  sqlite3_value* value = nullptr;
  return sqlite3_vtab_rhs_value(&info, i, &value) == SQLITE_OK && value != nullptr &&
         sqlite3_value_type(value) == SQLITE_TEXT;
}

// What can be told of a column whose values may be anything is only whether there is one.
bool CanApply(const Column& column, SqlOp op) {
  return column.affinity != Affinity::kNone || op == SqlOp::kPresent || op == SqlOp::kNull;
}

void ConsumeOrder(const SqlTable& table, sqlite3_index_info& info, SqlPlan& plan) {
  for (int i = 0; i < info.nOrderBy; ++i) {
    const int column = info.aOrderBy[i].iColumn;
    // Of a column that mixes numbers and text SQLite's sorter is as good.
    if (ColumnOf(table, column).affinity == Affinity::kNone) return plan.order.clear();
    plan.order.push_back({column, info.aOrderBy[i].desc != 0});
  }
  info.orderByConsumed = info.nOrderBy > 0 ? 1 : 0;
}

template <typename T>
T ReadNumber(std::string_view& text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(error == std::errc() ? static_cast<size_t>(end - text.data()) : text.size());
  return value;
}

}  // namespace

// "=5,i12,1-1;+3,-7": op and column of each constraint, then of each term of the order.
std::string SqlPlan::ToText() const {
  std::string text;
  for (const SqlConstraint& constraint : constraints) {
    if (!text.empty()) text += ',';
    text += static_cast<char>(constraint.op);
    text += std::to_string(constraint.column);
  }
  text += ';';
  for (const OrderTerm& term : order) {
    if (text.back() != ';') text += ',';
    text += term.descending ? 'd' : 'a';
    text += std::to_string(term.column);
  }
  return text;
}

SqlPlan SqlPlan::FromText(std::string_view text) {
  SqlPlan plan;
  bool in_order = false;
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    if (c == ',') continue;
    if (c == ';') {
      in_order = true;
    } else if (in_order) {
      plan.order.push_back({ReadNumber<int>(text), c == 'd'});
    } else {
      plan.constraints.push_back({ReadNumber<int>(text), static_cast<SqlOp>(c)});
    }
  }
  return plan;
}

int ChoosePlan(const SqlTable& table, sqlite3_index_info& info) {
  SqlPlan plan;
  const double rows = table.rows();
  double left = rows;       // rows that the scan gives
  double looked_at = rows;  // rows that it must look at for that
  int values = 0;
  for (int i = 0; i < info.nConstraint; ++i) {
    const auto& constraint = info.aConstraint[i];
    if (constraint.usable == 0) continue;
    const Column column = ColumnOf(table, constraint.iColumn);
    std::optional<SqlOp> known = OpOf(constraint.op);
    if (!known) continue;
    SqlOp op = *known;
    if (!CanApply(column, op)) op = SqlOp::kPresent;
    if (op != SqlOp::kNull && op != SqlOp::kPresent &&
        std::strcmp(sqlite3_vtab_collation(&info, i), "BINARY") != 0) {
      op = SqlOp::kPresent;
    }
    if (op == SqlOp::kEqual && sqlite3_vtab_in(&info, i, 1) != 0) op = SqlOp::kIn;
    plan.constraints.push_back({constraint.iColumn, op});
    if (plan.constraints.back().takes_value()) {
      info.aConstraintUsage[i].argvIndex = ++values;
      info.aConstraintUsage[i].omit = IsExact(info, i, column, op) ? 1 : 0;
    }
    const double share = Selectivity(column, op, rows);
    left *= share;
    if (op == SqlOp::kEqual || op == SqlOp::kIn) looked_at = std::min(looked_at, rows * share);
    if (op == SqlOp::kEqual && constraint.iColumn == kRowIdColumn) {
      info.idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
    }
  }
  ConsumeOrder(table, info, plan);

  const std::string text = plan.ToText();
  info.idxStr = sqlite3_mprintf("%s", text.c_str());
  if (info.idxStr == nullptr) return SQLITE_NOMEM;
  info.needToFreeIdxStr = 1;
  info.estimatedRows = static_cast<sqlite3_int64>(left) + 1;
  // A row given costs SQLite about ten times what a row left out costs here.
  info.estimatedCost = 2 + looked_at / 10 + left;
  return SQLITE_OK;
}

}  // namespace llama::sql
