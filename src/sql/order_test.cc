#include "sql/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace llama::sql {
namespace {

// Rows of cells that are there.
class ListedTable final : public SqlTable {
 public:
  std::vector<SqlColumn> sql_columns;
  std::vector<std::vector<OwnedCell>> cells;

  const std::vector<SqlColumn>& columns() const override { return sql_columns; }
  traces::Row rows() const override { return static_cast<traces::Row>(cells.size()); }
  Cell At(traces::Row row, int column, std::string&) const override {
    return cells[row][static_cast<size_t>(column)].Get();
  }
};

// Columns of numbers, of reals, of texts, and of everything.
ListedTable RandomTable(int rows, std::mt19937_64& random) {
  ListedTable table;
  table.sql_columns.resize(4);
  const auto integer = [&] {
    const int64_t edges[] = {INT64_MIN, INT64_MAX, 0, -1, 1, int64_t{1} << 53};
    return Cell::Int(random() % 4 == 0 ? edges[random() % 6] : static_cast<int64_t>(random() % 50));
  };
  const auto real = [&] {
    const double edges[] = {-1e300, 1e300, 0.0, -0.0, 0x1p63, 9007199254740993.0};
    return Cell::Double(random() % 4 == 0 ? edges[random() % 6]
                                          : static_cast<double>(random() % 99) / 2);
  };
  std::string text;
  const auto word = [&] {
    text = random() % 8 == 0 ? "" : "w" + std::to_string(random() % 40);
    return Cell::Text(text);
  };
  for (int i = 0; i < rows; ++i) {
    std::vector<OwnedCell> row;
    row.emplace_back(random() % 5 == 0 ? Cell::Null() : integer());
    row.emplace_back(random() % 5 == 0 ? Cell::Null() : real());
    row.emplace_back(random() % 5 == 0 ? Cell::Null() : word());
    const auto kind = random() % 4;
    row.emplace_back(kind == 0   ? Cell::Null()
                     : kind == 1 ? integer()
                     : kind == 2 ? real()
                                 : word());
    table.cells.push_back(std::move(row));
  }
  return table;
}

TEST(SqlOrderTest, SortsAsComparingDoes) {
  std::mt19937_64 random(7);
  for (const int size : {0, 1, 50, 5000}) {
    const ListedTable table = RandomTable(size, random);
    for (int round = 0; round < 12; ++round) {
      std::vector<OrderTerm> terms;
      for (auto i = random() % 3 + 1; i > 0; --i) {
        terms.push_back({static_cast<int>(random() % 4), random() % 2 == 0});
      }
      std::vector<traces::Row> rows(table.rows());
      for (traces::Row row = 0; row < rows.size(); ++row) rows[row] = row;
      std::vector<traces::Row> expected = rows;
      std::string scratch;
      std::stable_sort(expected.begin(), expected.end(), [&](traces::Row a, traces::Row b) {
        for (const OrderTerm& term : terms) {
          const int order =
              CompareCells(table.At(a, term.column, scratch), table.At(b, term.column, scratch));
          if (order != 0) return term.descending ? order > 0 : order < 0;
        }
        return false;
      });
      EXPECT_EQ(SortRows(table, rows, terms), expected) << size << " rows, round " << round;
    }
  }
}

TEST(SqlTableTest, CellsCompareExactly) {
  const Cell ascending[] = {Cell::Null(),
                            Cell::Double(-1e300),
                            Cell::Int(INT64_MIN),
                            Cell::Int(INT64_MIN + 1),
                            Cell::Int(-1),
                            Cell::Double(-0.5),
                            Cell::Int(0),
                            Cell::Double(0.5),
                            Cell::Int(9007199254740993),
                            Cell::Double(9007199254740994.0),
                            Cell::Int(INT64_MAX),
                            Cell::Double(0x1p63),
                            Cell::Text(""),
                            Cell::Text("a"),
                            Cell::Text("a\xc3"),
                            Cell::Blob()};
  for (size_t i = 0; i < std::size(ascending); ++i) {
    for (size_t j = 0; j < std::size(ascending); ++j) {
      const int order = CompareCells(ascending[i], ascending[j]);
      EXPECT_EQ(order, i < j ? -1 : (i > j ? 1 : 0)) << i << " and " << j;
    }
  }
  EXPECT_EQ(CompareCells(Cell::Int(5), Cell::Double(5)), 0);
  EXPECT_EQ(CompareCells(Cell::Double(0.0), Cell::Double(-0.0)), 0);
}

}  // namespace
}  // namespace llama::sql
