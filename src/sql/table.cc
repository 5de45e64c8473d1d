#include "sql/table.h"

#include <cmath>

namespace llama::sql {
namespace {

template <typename T>
int Compare(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int CompareIntReal(int64_t a, double b) {
  if (b >= 0x1p63) return -1;
  if (b < -0x1p63) return 1;
  const double whole = std::trunc(b);
  const int by_whole = Compare(a, static_cast<int64_t>(whole));
  return by_whole != 0 ? by_whole : Compare(whole, b);
}

int Rank(const Cell& cell) {
  switch (cell.type) {
    case CellType::kNull:
      return 0;
    case CellType::kInt:
    case CellType::kDouble:
      return 1;
    case CellType::kText:
    case CellType::kJson:
      return 2;
    case CellType::kBlob:
      return 3;
  }
  return 0;
}

}  // namespace

int CompareCells(const Cell& a, const Cell& b) {
  if (const int by_rank = Compare(Rank(a), Rank(b)); by_rank != 0) return by_rank;
  if (a.is_null() || a.type == CellType::kBlob) return 0;
  if (a.is_text()) {
    const int by_bytes = a.text().compare(b.text());
    return by_bytes < 0 ? -1 : (by_bytes > 0 ? 1 : 0);
  }
  const bool a_int = a.type == CellType::kInt;
  const bool b_int = b.type == CellType::kInt;
  if (a_int && b_int) return Compare(a.integer, b.integer);
  if (a_int) return CompareIntReal(a.integer, b.real);
  if (b_int) return -CompareIntReal(b.integer, a.real);
  return Compare(a.real, b.real);
}

}  // namespace llama::sql
