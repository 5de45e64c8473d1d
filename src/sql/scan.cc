#include "sql/scan.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/hash.h"

namespace llama::sql {
namespace {

// Looking at so many is less work than finding fewer.
constexpr size_t kFewRows = 64;

// Equal cells, 5 and 5.0 too, have equal hashes.
uint64_t HashOf(const Cell& cell) {
  constexpr uint64_t kSeed = 0x51ed270b0a1f39c1;
  if (cell.is_text()) return Hash(cell.text(), kSeed);
  const double number =
      cell.type == CellType::kInt ? static_cast<double>(cell.integer) : cell.real + 0.0;
  return Fold(std::bit_cast<uint64_t>(number) ^ kSeed, 0x9e3779b97f4a7c15);
}

struct OrderOfCells {
  bool operator()(const OwnedCell& a, const Cell& b) const { return CompareCells(a.Get(), b) < 0; }
  bool operator()(const Cell& a, const OwnedCell& b) const { return CompareCells(a, b.Get()) < 0; }
};

RowSet RowOrNone(const SqlTable& table, const Cell& value) {
  if (value.type != CellType::kInt || value.integer < 0 || value.integer >= table.rows()) {
    return RowSet::Range(0, 0);
  }
  const auto row = static_cast<traces::Row>(value.integer);
  return RowSet::Range(row, row + 1);
}

}  // namespace

void ValueIndexes::Index::Fill(const SqlTable& table, int column) {
  std::string scratch;
  std::vector<std::pair<uint64_t, traces::Row>> present;
  for (traces::Row row = 0; row < table.rows(); ++row) {
    const Cell cell = table.At(row, column, scratch);
    if (!cell.is_null()) present.emplace_back(HashOf(cell), row);
  }
  const int bits = std::max(1, static_cast<int>(std::bit_width(present.size())));
  shift = 64 - bits;
  starts.assign((size_t{1} << bits) + 1, 0);
  for (const auto& [hash, row] : present) ++starts[(hash >> shift) + 1];
  for (size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  rows.resize(present.size());
  std::vector<uint32_t> next(starts.begin(), starts.end() - 1);
  for (const auto& [hash, row] : present) rows[next[hash >> shift]++] = row;
}

std::optional<RowSet> ValueIndexes::Find(const SqlTable& table, int column, const Cell& value) {
  Index& index = by_column_[column];
  if (++index.asked < 2) return std::nullopt;
  if (index.starts.empty()) index.Fill(table, column);
  const size_t bucket = HashOf(value) >> index.shift;
  return RowSet::List(
      {index.rows.data() + index.starts[bucket], index.rows.data() + index.starts[bucket + 1]});
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

bool Scan::Accepts(traces::Row row) {
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
  std::vector<traces::Row> all;
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
  const auto offer = [&](ScanFilter& filter, std::optional<RowSet> rows) {
    if (!rows || (applied != nullptr && rows->size() >= best.size())) return;
    best = *std::move(rows);
    applied = &filter;
  };
  for (ScanFilter& filter : filters_) offer(filter, Find(filter));
  bool found = applied != nullptr;
  for (const ScanFilter& filter : filters_) {
    if (best.size() <= kFewRows) break;
    if (filter.op != SqlOp::kEqual || filter.column == kRowIdColumn) continue;
    auto rows = indexes_.Find(table_, filter.column, filter.value.Get());
    if (!rows || rows->size() >= best.size()) continue;
    best = *std::move(rows);
    applied = nullptr;  // they may hold others
    found = true;
  }
  if (applied != nullptr) applied->applied = true;
  if (found) return best;
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
    std::vector<traces::Row> rows;
    rows.reserve(filtering_ ? 0 : rows_.size());
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (!filtering_ || Accepts(rows_[i])) rows.push_back(rows_[i]);
    }
    filtering_ = false;
    rows_ = RowSet::Own(SortRows(table_, std::move(rows), order));
  }
  if (filtering_) SkipExcluded();
}

}  // namespace llama::sql
