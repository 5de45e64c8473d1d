#include "report/sql_scan.h"

#include <algorithm>

namespace llama::report {
namespace {

struct OrderOfCells {
  bool operator()(const OwnedCell& a, const Cell& b) const { return CompareCells(a.Get(), b) < 0; }
  bool operator()(const Cell& a, const OwnedCell& b) const { return CompareCells(a, b.Get()) < 0; }
};

RowSet RowOrNone(const SqlTable& table, const Cell& value) {
  if (value.type != CellType::kInt || value.integer < 0 || value.integer >= table.rows()) {
    return RowSet::Range(0, 0);
  }
  const auto row = static_cast<Row>(value.integer);
  return RowSet::Range(row, row + 1);
}

}  // namespace

std::optional<RowSet> ValueIndexes::Find(const SqlTable& table, int column, const Cell& value) {
  Index& index = by_column_[column];
  if (++index.asked < 2) return std::nullopt;
  std::string scratch;
  if (index.asked == 2) {
    std::vector<Row> present;
    for (Row row = 0; row < table.rows(); ++row) {
      if (!table.At(row, column, scratch).is_null()) present.push_back(row);
    }
    const OrderTerm by_value{column, false};
    index.rows = SortRows(table, std::move(present), {&by_value, 1});
  }
  const auto begin = std::lower_bound(
      index.rows.begin(), index.rows.end(), value,
      [&](Row row, const Cell& v) { return CompareCells(table.At(row, column, scratch), v) < 0; });
  const auto end = std::upper_bound(begin, index.rows.end(), value, [&](const Cell& v, Row row) {
    return CompareCells(v, table.At(row, column, scratch)) < 0;
  });
  return RowSet::List({begin, end});
}

bool ScanFilter::Accepts(const Cell& cell) const {
  if (op == SqlOp::kNull) return cell.is_null();
  if (cell.is_null()) return false;
  if (op == SqlOp::kPresent) return true;
  if (op == SqlOp::kIn) {
    return std::binary_search(list.begin(), list.end(), cell, OrderOfCells());
  }
  const int order = CompareCells(cell, value.Get());
  switch (op) {
    case SqlOp::kLess:
      return order < 0;
    case SqlOp::kAtMost:
      return order <= 0;
    case SqlOp::kGreater:
      return order > 0;
    case SqlOp::kAtLeast:
      return order >= 0;
    default:
      return order == 0;
  }
}

bool Scan::Accepts(Row row) {
  for (const ScanFilter& filter : filters_) {
    if (filter.applied) continue;
    if (!filter.Accepts(CellAt(table_, row, filter.column, scratch_))) return false;
  }
  return true;
}

// What the table itself knows.
std::optional<RowSet> Scan::Find(const ScanFilter& filter) const {
  if (filter.op == SqlOp::kEqual) {
    // An integer may be asked for as 5.0; that is for the filter.
    if (filter.value.Get().type == CellType::kDouble) return std::nullopt;
    if (filter.column == kRowIdColumn) return RowOrNone(table_, filter.value.Get());
    return table_.Find(filter.column, filter.value.Get());
  }
  if (filter.op != SqlOp::kIn || filter.column == kRowIdColumn) return std::nullopt;
  std::vector<Row> all;
  for (const OwnedCell& value : filter.list) {
    const auto some = table_.Find(filter.column, value.Get());
    if (!some) return std::nullopt;
    for (size_t i = 0; i < some->size(); ++i) all.push_back((*some)[i]);
  }
  return RowSet::Own(std::move(all));
}

RowSet Scan::Start() {
  RowSet best = RowSet::Range(0, table_.rows());
  ScanFilter* applied = nullptr;
  for (ScanFilter& filter : filters_) {
    auto rows = Find(filter);
    if (!rows || (applied != nullptr && rows->size() >= best.size())) continue;
    best = *std::move(rows);
    applied = &filter;
  }
  for (ScanFilter& filter : filters_) {
    if (applied != nullptr) break;
    if (filter.op != SqlOp::kEqual || filter.column == kRowIdColumn) continue;
    auto rows = indexes_.Find(table_, filter.column, filter.value.Get());
    if (!rows) continue;
    best = *std::move(rows);
    applied = &filter;
  }
  if (applied != nullptr) {
    applied->applied = true;
    return best;
  }
  // Only rows that have a value can be accepted; which of them is still to be seen.
  for (const ScanFilter& filter : filters_) {
    if (filter.op == SqlOp::kNull || filter.column == kRowIdColumn) continue;
    auto rows = table_.FindPresent(filter.column);
    if (rows && rows->size() < best.size()) best = *std::move(rows);
  }
  return best;
}

void Scan::Begin(std::span<const OrderTerm> order) {
  for (ScanFilter& filter : filters_) filter.applied = false;
  rows_ = Start();
  position_ = 0;
  filtering_ = std::any_of(filters_.begin(), filters_.end(),
                           [](const ScanFilter& filter) { return !filter.applied; });
  if (!order.empty()) {
    std::vector<Row> rows;
    rows.reserve(filtering_ ? 0 : rows_.size());
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (!filtering_ || Accepts(rows_[i])) rows.push_back(rows_[i]);
    }
    filtering_ = false;
    rows_ = RowSet::Own(SortRows(table_, std::move(rows), order));
  }
  if (filtering_) SkipExcluded();
}

}  // namespace llama::report
