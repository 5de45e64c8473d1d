// Reading numbers out of foreign traces: what a field's value counts, and sums that stop at the
// largest number instead of going round.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "traces/columns/columns.h"

namespace llama::traces {

// Holds the sum of any number of int64_t.
__extension__ typedef __int128 WideInt;

// A hostile trace may name any number; a sum stops at the largest.
inline int64_t AddUp(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? INT64_MAX : INT64_MIN;
}

// Without its fraction; the nearest there is where an int64 does not hold it.
inline int64_t WholeOf(double number) {
  if (number >= 0x1p63) return INT64_MAX;
  if (number < -0x1p63) return INT64_MIN;
  return number == number ? static_cast<int64_t>(number) : 0;
}

// A field's value that is an integer ≥ 0, or a number that others write for one; else absent.
inline std::optional<int64_t> CountAt(const FieldColumn& column, Row row) {
  const auto value = column.At(row);
  if (!value) return std::nullopt;
  if (value->kind == Kind::kInt && value->as_int() >= 0) return value->as_int();
  if (value->kind != Kind::kDouble) return std::nullopt;
  const double number = value->as_double();
  if (!(number >= 0 && number < 9e15)) return std::nullopt;
  return static_cast<int64_t>(number);
}

// A field's value that is a string; else "".
inline std::string TextAt(const Columns& trace, const FieldColumn& column, Row row) {
  const auto text = column.StringAt(row);
  return text ? std::string(trace.text(*text)) : "";
}

}  // namespace llama::traces
