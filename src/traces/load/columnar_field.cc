// One field in the columnar file.
#include <algorithm>
#include <bit>

#include "traces/load/columnar_layout.h"

namespace llama::traces {
namespace {

BitsCoding CodingOf(KindSet kinds) {
  if (kinds.Only(Kind::kInt)) return BitsCoding::kZigzag;
  // Texts that are new come in the order of their ids.
  if (kinds.Only(Kind::kString)) return BitsCoding::kDelta;
  return BitsCoding::kPlain;
}

void Encode(BitsCoding coding, BigVector<uint64_t>& bits) {
  if (coding == BitsCoding::kPlain) return;
  uint64_t before = 0;
  for (uint64_t& value : bits) {
    const uint64_t was = value;
    value = Zigzag(static_cast<int64_t>(was - before));
    if (coding == BitsCoding::kDelta) before = was;
  }
}

void Decode(BitsCoding coding, BigVector<uint64_t>& bits) {
  if (coding == BitsCoding::kPlain) return;
  uint64_t before = 0;
  for (uint64_t& value : bits) {
    value = static_cast<uint64_t>(Unzigzag(value)) + before;
    if (coding == BitsCoding::kDelta) before = value;
  }
}

bool IsText(Kind kind) { return kind == Kind::kString || kind == Kind::kJson; }

}  // namespace

FieldEntry ColumnCodec::Write(const FieldColumn& column, SectionWriter& out) {
  FieldEntry entry;
  entry.kinds = column.kinds_.bits();
  entry.uniform = static_cast<uint8_t>(column.uniform_);
  entry.layout = static_cast<uint8_t>(column.layout_);
  entry.values = column.size();
  entry.coding = CodingOf(column.kinds_);
  if (column.layout_ == FieldColumn::Layout::kBitmap) {
    entry.presence = out.Bytes({reinterpret_cast<const char*>(column.present_.data()),
                                column.present_.size() * sizeof(uint64_t)});
  } else if (column.layout_ == FieldColumn::Layout::kRows) {
    BigVector<uint64_t> steps;
    Row before = 0;
    for (const Row row : column.rows_) {
      steps.push_back(row - before);
      before = row;
    }
    entry.presence = out.Integers(steps);
  }
  entry.tags = out.Bytes({reinterpret_cast<const char*>(column.tags_.data()), column.tags_.size()});
  BigVector<uint64_t> bits = column.bits_;
  Encode(entry.coding, bits);
  entry.bits = out.Integers(bits);
  return entry;
}

namespace {

using Layout = uint8_t;
constexpr Layout kRowList = 0;
constexpr Layout kBitmap = 1;
constexpr Layout kDense = 2;

// The rows that have a value: ascending, below `rows`.
bool ReadRows(const FieldEntry& entry, const SectionReader& in, Row rows, BigVector<Row>& out) {
  if (entry.layout == kDense) {
    if (entry.values != rows) return false;
    for (Row row = 0; row < rows; ++row) out.push_back(row);
    return true;
  }
  if (entry.layout == kRowList) {
    BigVector<uint64_t> steps;
    if (!in.Integers(entry.presence, entry.values, steps)) return false;
    uint64_t row = 0;
    for (size_t i = 0; i < steps.size(); ++i) {
      if (i > 0 && steps[i] == 0) return false;
      if (steps[i] >= rows || (row += steps[i]) >= rows) return false;
      out.push_back(static_cast<Row>(row));
    }
    return true;
  }
  BigVector<char> bytes;
  if (entry.layout != kBitmap || !in.Bytes(entry.presence, bytes)) return false;
  if (bytes.size() != (uint64_t{rows} + 63) / 64 * 8) return false;
  for (size_t word = 0; word < bytes.size() / 8; ++word) {
    uint64_t left = 0;
    std::copy_n(bytes.data() + word * 8, 8, reinterpret_cast<char*>(&left));
    for (; left != 0; left &= left - 1) {
      const size_t row = word * 64 + static_cast<size_t>(std::countr_zero(left));
      if (row >= rows) return false;
      out.push_back(static_cast<Row>(row));
    }
  }
  return out.size() == entry.values;
}

}  // namespace

bool ColumnCodec::Read(const FieldEntry& entry, const SectionReader& in, Row rows, Row base,
                       size_t string_count, std::span<const StringId> strings, FieldColumn& out) {
  BigVector<Row> present;
  BigVector<char> tags;
  BigVector<uint64_t> bits;
  if (entry.values > rows || !in.Integers(entry.bits, entry.values, bits) ||
      !in.Bytes(entry.tags, tags) || !ReadRows(entry, in, rows, present)) {
    return false;
  }
  if (!tags.empty() && tags.size() != entry.values) return false;
  Decode(entry.coding, bits);
  for (size_t i = 0; i < bits.size(); ++i) {
    const auto tag = tags.empty() ? entry.uniform : static_cast<uint8_t>(tags[i]);
    if (tag >= kKinds) return false;
    Value value{static_cast<Kind>(tag), bits[i]};
    if (IsText(value.kind)) {
      if (value.bits >= string_count) return false;
      if (!strings.empty()) value.bits = strings[value.bits];
    }
    out.Append(base + present[i], value);
  }
  return true;
}

}  // namespace llama::traces
