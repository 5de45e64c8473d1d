#include "sql/order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

namespace llama::sql {
namespace {

// A row with its cell as an integer that sorts as the cell does.
struct Keyed {
  uint64_t key = 0;
  traces::Row row = 0;
};

constexpr uint64_t kSign = uint64_t{1} << 63;

uint64_t KeyOfInt(int64_t v) { return static_cast<uint64_t>(v) ^ kSign; }

uint64_t KeyOfDouble(double v) {
  const uint64_t bits = std::bit_cast<uint64_t>(v + 0.0);  // -0 equals 0
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

// Texts become their rank among those that occur; so the text of each distinct one is compared,
// not that of each row.
class TextRanks {
 public:
  // A number for the text, the same for the same text.
  uint32_t Number(const Cell& cell) {
    if (cell.text_id == 0) return NumberByText(cell);
    if (cell.text_id >= by_id_.size()) by_id_.resize(cell.text_id + 1, 0);
    uint32_t& number = by_id_[cell.text_id];
    if (number == 0) number = NumberByText(cell) + 1;
    return number - 1;
  }
  // By number.
  std::vector<uint64_t> Ranks() const {
    std::vector<uint32_t> order(texts_.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return texts_[a] < texts_[b]; });
    std::vector<uint64_t> ranks(order.size());
    for (size_t rank = 0; rank < order.size(); ++rank) ranks[order[rank]] = rank;
    return ranks;
  }

 private:
  uint32_t NumberByText(const Cell& cell) {
    if (const auto it = numbers_.find(cell.text()); it != numbers_.end()) return it->second;
    const auto number = static_cast<uint32_t>(texts_.size());
    texts_.push_back(cell.transient ? copies_.emplace_back(cell.text()) : cell.text());
    numbers_.emplace(texts_.back(), number);
    return number;
  }

  std::vector<uint32_t> by_id_;  // text id → number + 1
  std::unordered_map<std::string_view, uint32_t> numbers_;
  std::vector<std::string_view> texts_;
  std::deque<std::string> copies_;
};

// Least significant digit first: stable. Digits that all keys share cost nothing.
void RadixSort(std::vector<Keyed>& items) {
  constexpr int kBits = 11;
  constexpr size_t kDigits = size_t{1} << kBits;
  if (items.size() < kDigits) {
    std::stable_sort(items.begin(), items.end(),
                     [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
    return;
  }
  uint64_t differing = 0;
  for (const Keyed& item : items) differing |= item.key ^ items[0].key;
  std::vector<Keyed> other(items.size());
  for (int shift = 0; shift < 64; shift += kBits) {
    if (((differing >> shift) & (kDigits - 1)) == 0) continue;
    std::array<size_t, kDigits> starts{};
    for (const Keyed& item : items) ++starts[(item.key >> shift) & (kDigits - 1)];
    size_t start = 0;
    for (size_t& count : starts) start += std::exchange(count, start);
    for (const Keyed& item : items) other[starts[(item.key >> shift) & (kDigits - 1)]++] = item;
    items.swap(other);
  }
}

// The rows by a column whose cells have keys; nothing for one where integers and reals mix, or
// numbers and text.
std::optional<std::vector<traces::Row>> SortByKey(const SqlTable& table,
                                                  const std::vector<traces::Row>& rows,
                                                  const OrderTerm& term) {
  std::vector<traces::Row> nulls;
  std::vector<Keyed> items;
  items.reserve(rows.size());
  TextRanks texts;
  CellType type = CellType::kNull;
  std::string scratch;
  for (const traces::Row row : rows) {
    const Cell cell = CellAt(table, row, term.column, scratch);
    if (cell.is_null()) {
      nulls.push_back(row);
      continue;
    }
    const CellType kind = cell.is_text() ? CellType::kText : cell.type;
    if (type == CellType::kNull) type = kind;
    if (kind != type) return std::nullopt;
    items.push_back({kind == CellType::kInt      ? KeyOfInt(cell.integer)
                     : kind == CellType::kDouble ? KeyOfDouble(cell.real)
                                                 : texts.Number(cell),
                     row});
  }
  if (type == CellType::kText) {
    const std::vector<uint64_t> ranks = texts.Ranks();
    for (Keyed& item : items) item.key = ranks[item.key];
  }
  if (term.descending) {
    for (Keyed& item : items) item.key = ~item.key;
  }
  RadixSort(items);
  std::vector<traces::Row> sorted;
  sorted.reserve(rows.size());
  if (!term.descending) sorted = nulls;
  for (const Keyed& item : items) sorted.push_back(item.row);
  if (term.descending) sorted.insert(sorted.end(), nulls.begin(), nulls.end());
  return sorted;
}

std::vector<traces::Row> SortByComparing(const SqlTable& table, std::vector<traces::Row> rows,
                                         const OrderTerm& term) {
  std::string scratch_a;
  std::string scratch_b;
  std::stable_sort(rows.begin(), rows.end(), [&](traces::Row a, traces::Row b) {
    const Cell cell_a = CellAt(table, a, term.column, scratch_a);
    const Cell cell_b = CellAt(table, b, term.column, scratch_b);
    return term.descending ? CompareCells(cell_b, cell_a) < 0 : CompareCells(cell_a, cell_b) < 0;
  });
  return rows;
}

}  // namespace

std::vector<traces::Row> SortRows(const SqlTable& table, std::vector<traces::Row> rows,
                                  std::span<const OrderTerm> terms) {
  for (size_t i = terms.size(); i-- > 0;) {
    const OrderTerm& term = terms[i];
    std::optional<std::vector<traces::Row>> sorted;
    // All rows, as yet in their own order, by a column for which the table has one.
    if (i + 1 == terms.size() && rows.size() == table.rows() && !term.descending) {
      sorted = table.SortedBy(term.column);
    }
    if (!sorted) sorted = SortByKey(table, rows, term);
    rows = sorted ? std::move(*sorted) : SortByComparing(table, std::move(rows), term);
  }
  return rows;
}

}  // namespace llama::sql
