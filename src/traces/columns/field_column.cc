#include "traces/columns/field_column.h"

#include <algorithm>

namespace llama::traces {
namespace {

// A bitmap with its ranks takes 3/16 of a byte a row, a list four bytes a value.
constexpr size_t kRowsPerListedValue = 32;

}  // namespace

void FieldColumn::StartTags() {
  tags_.reserve(bits_.capacity());
  tags_.assign(bits_.size(), static_cast<uint8_t>(uniform_));
}

void FieldColumn::Reserve(size_t values) {
  rows_.reserve(values);
  bits_.reserve(values);
}

void FieldColumn::Append(Row row, Value value) {
  if (bits_.empty()) uniform_ = value.kind;
  if (tags_.empty() && value.kind != uniform_) StartTags();
  kinds_.Add(value.kind);
  if (!rows_.empty() && rows_.back() == row) {
    bits_.back() = value.bits;
    if (!tags_.empty()) tags_.back() = static_cast<uint8_t>(value.kind);
    return;
  }
  rows_.push_back(row);
  bits_.push_back(value.bits);
  if (!tags_.empty()) tags_.push_back(static_cast<uint8_t>(value.kind));
}

void FieldColumn::Freeze(Row table_rows) {
  if (layout_ != Layout::kRows) return;
  if (rows_.size() == table_rows) {
    layout_ = Layout::kDense;
  } else if (rows_.size() < table_rows / kRowsPerListedValue) {
    return;
  } else {
    layout_ = Layout::kBitmap;
    present_.assign((size_t{table_rows} + 63) / 64, 0);
    for (const Row row : rows_) present_[row / 64] |= uint64_t{1} << (row % 64);
    RankBitmap();
  }
  rows_ = {};
}

void FieldColumn::RankBitmap() {
  ranks_.resize(present_.size());
  uint32_t before = 0;
  for (size_t word = 0; word < present_.size(); ++word) {
    ranks_[word] = before;
    before += static_cast<uint32_t>(std::popcount(present_[word]));
  }
}

size_t FieldColumn::Search(Row row) const {
  const auto it = std::lower_bound(rows_.begin(), rows_.end(), row);
  if (it == rows_.end() || *it != row) return kAbsent;
  return static_cast<size_t>(it - rows_.begin());
}

}  // namespace llama::traces
