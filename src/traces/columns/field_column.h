// FieldColumn: the values of one field, for the rows that have it. A field whose type varies loses
// nothing: each value knows its kind, and a column whose values are all of one kind (the usual
// case) gives them as one array.
//
// Immutable once loaded: any thread may read.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>

#include "traces/columns/big_vector.h"
#include "traces/columns/intern.h"

namespace llama::traces {

using Row = uint32_t;
inline constexpr Row kNoRow = UINT32_MAX;
using FieldId = uint32_t;

enum class Kind : uint8_t {
  kNull,  // JSON's null
  kBool,
  kInt,  // an integer that int64 holds
  kDouble,
  kString,
  kJson,  // an array, an object, or an integer that int64 does not hold: its JSON text
};
inline constexpr int kKinds = 6;

// Which kinds a column holds: bit 1 << Kind.
class KindSet {
 public:
  constexpr KindSet() = default;
  constexpr explicit KindSet(uint8_t bits) : bits_(bits) {}
  constexpr void Add(Kind kind) { bits_ = static_cast<uint8_t>(bits_ | Bit(kind)); }
  constexpr bool Has(Kind kind) const { return (bits_ & Bit(kind)) != 0; }
  constexpr bool Only(Kind kind) const { return bits_ == Bit(kind); }
  constexpr uint8_t bits() const { return bits_; }

 private:
  static constexpr uint8_t Bit(Kind kind) {
    return static_cast<uint8_t>(1u << static_cast<unsigned>(kind));
  }
  uint8_t bits_ = 0;
};

// One value: eight bytes that `kind` gives a meaning.
struct Value {
  Kind kind = Kind::kNull;
  uint64_t bits = 0;

  static Value Int(int64_t v) { return {Kind::kInt, static_cast<uint64_t>(v)}; }
  static Value Double(double v) { return {Kind::kDouble, std::bit_cast<uint64_t>(v)}; }
  static Value Bool(bool v) { return {Kind::kBool, v ? 1u : 0u}; }
  static Value String(StringId v) { return {Kind::kString, v}; }
  static Value Json(StringId v) { return {Kind::kJson, v}; }

  int64_t as_int() const { return static_cast<int64_t>(bits); }       // of kInt
  double as_double() const { return std::bit_cast<double>(bits); }    // of kDouble
  bool as_bool() const { return bits != 0; }                          // of kBool
  StringId as_string() const { return static_cast<StringId>(bits); }  // of kString and kJson
  // The number that it is: kInt, kDouble, kBool as 0 or 1.
  std::optional<double> number() const {
    switch (kind) {
      case Kind::kInt:
        return static_cast<double>(as_int());
      case Kind::kDouble:
        return as_double();
      case Kind::kBool:
        return as_bool() ? 1.0 : 0.0;
      default:
        return std::nullopt;
    }
  }
  friend bool operator==(const Value&, const Value&) = default;
};

class FieldColumn {
 public:
  void Reserve(size_t values);
  // Rows must come in ascending order. Of two values for one row the last counts.
  void Append(Row row, Value value);
  // After the last Append, with the number of rows of the table: makes At() fast.
  void Freeze(Row table_rows);

  size_t size() const { return bits_.size(); }  // values
  KindSet kinds() const { return kinds_; }

  bool Has(Row row) const { return IndexOf(row) != kAbsent; }
  std::optional<Value> At(Row row) const {
    const size_t i = IndexOf(row);
    if (i == kAbsent) return std::nullopt;
    return value(i);
  }
  // The most common questions: a value of another kind counts as absent.
  std::optional<int64_t> IntAt(Row row) const {
    const size_t i = IndexOf(row);
    if (i == kAbsent || kind(i) != Kind::kInt) return std::nullopt;
    return static_cast<int64_t>(bits_[i]);
  }
  std::optional<StringId> StringAt(Row row) const {
    const size_t i = IndexOf(row);
    if (i == kAbsent || kind(i) != Kind::kString) return std::nullopt;
    return static_cast<StringId>(bits_[i]);
  }
  bool TrueAt(Row row) const {
    const size_t i = IndexOf(row);
    return i != kAbsent && kind(i) == Kind::kBool && bits_[i] != 0;
  }

  // Values by their number, in row order.
  Kind kind(size_t i) const { return tags_.empty() ? uniform_ : static_cast<Kind>(tags_[i]); }
  Value value(size_t i) const { return {kind(i), bits_[i]}; }
  // What Value::bits is, of every value: with kinds().Only(Kind::kInt) these are the integers.
  std::span<const uint64_t> bits() const { return bits_; }

  // f(Row, Value) for every value, in row order.
  template <typename F>
  void ForEach(F&& f) const {
    size_t i = 0;
    ForEachRow([&](Row row) { f(row, value(i++)); });
  }
  template <typename F>
  void ForEachRow(F&& f) const {
    if (layout_ == Layout::kRows) {
      for (const Row row : rows_) f(row);
    } else if (layout_ == Layout::kDense) {
      for (Row row = 0; row < bits_.size(); ++row) f(row);
    } else {
      for (size_t word = 0; word < present_.size(); ++word) {
        for (uint64_t left = present_[word]; left != 0; left &= left - 1) {
          f(static_cast<Row>(word * 64 + static_cast<size_t>(std::countr_zero(left))));
        }
      }
    }
  }

  static constexpr size_t kAbsent = SIZE_MAX;
  // The number of the row's value, or kAbsent.
  size_t IndexOf(Row row) const {
    if (layout_ == Layout::kRows) return Search(row);
    if (layout_ == Layout::kDense) return row < bits_.size() ? row : kAbsent;
    const size_t word = row / 64;
    if (word >= present_.size()) return kAbsent;
    const uint64_t bit = uint64_t{1} << (row % 64);
    if ((present_[word] & bit) == 0) return kAbsent;
    return ranks_[word] + static_cast<size_t>(std::popcount(present_[word] & (bit - 1)));
  }

 private:
  // Which rows have a value: all; those of a bitmap, with the values before each word of it; or a
  // sorted list, where few do.
  enum class Layout : uint8_t { kRows, kBitmap, kDense };

  friend class ColumnCodec;  // traces/load/columnar_file.h: writes and reads these arrays

  size_t Search(Row row) const;
  void StartTags();
  void RankBitmap();

  BigVector<uint64_t> bits_;
  BigVector<uint8_t> tags_;  // a Kind a value; empty if all are `uniform_`
  Kind uniform_ = Kind::kNull;
  KindSet kinds_;
  Layout layout_ = Layout::kRows;
  BigVector<Row> rows_;
  BigVector<uint64_t> present_;
  BigVector<uint32_t> ranks_;
};

}  // namespace llama::traces
