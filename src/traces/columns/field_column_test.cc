#include "traces/columns/field_column.h"

#include <gtest/gtest.h>

#include <map>

namespace llama::traces {
namespace {

// Few rows, many, all: each is kept otherwise, and says the same.
TEST(FieldColumnTest, FindsValuesHoweverManyThereAre) {
  constexpr Row kRows = 1000;
  for (const Row step : {1u, 2u, 3u, 40u, 999u}) {
    FieldColumn column;
    std::map<Row, Value> truth;
    for (Row row = step / 2; row < kRows; row += step) {
      truth.emplace(row, Value::Int(row * 10));
      column.Append(row, Value::Int(row * 10));
    }
    column.Freeze(kRows);
    ASSERT_EQ(column.size(), truth.size());
    EXPECT_TRUE(column.kinds().Only(Kind::kInt));
    for (Row row = 0; row < kRows + 100; ++row) {
      const auto it = truth.find(row);
      EXPECT_EQ(column.Has(row), it != truth.end());
      EXPECT_EQ(column.At(row),
                it == truth.end() ? std::nullopt : std::optional<Value>(it->second));
    }
    auto next = truth.begin();
    column.ForEach([&](Row row, Value value) {
      EXPECT_EQ(row, next->first);
      EXPECT_EQ(value, next->second);
      ++next;
    });
    EXPECT_EQ(next, truth.end());
  }
}

TEST(FieldColumnTest, ValueOfAnotherKindIsAbsentWhereOneKindIsAskedFor) {
  FieldColumn column;
  column.Append(0, Value::Int(1));
  column.Append(1, Value::String(1));
  column.Append(2, Value::Bool(true));
  column.Append(3, Value::Double(1));
  column.Freeze(4);
  EXPECT_EQ(column.IntAt(0), 1);
  EXPECT_EQ(column.IntAt(1), std::nullopt);
  EXPECT_EQ(column.IntAt(3), std::nullopt);
  EXPECT_EQ(column.StringAt(1), 1u);
  EXPECT_EQ(column.StringAt(0), std::nullopt);
  EXPECT_TRUE(column.TrueAt(2));
  EXPECT_FALSE(column.TrueAt(0));
  EXPECT_FALSE(column.kinds().Only(Kind::kInt));
  EXPECT_EQ(column.At(3)->number(), 1.0);
  EXPECT_EQ(column.At(1)->number(), std::nullopt);
}

TEST(FieldColumnTest, LastValueOfARowCounts) {
  FieldColumn column;
  column.Append(3, Value::Int(1));
  column.Append(3, Value::Bool(true));
  column.Freeze(10);
  EXPECT_EQ(column.size(), 1u);
  EXPECT_EQ(column.At(3), Value::Bool(true));
}

TEST(FieldColumnTest, EmptyHasNothing) {
  const FieldColumn column;
  EXPECT_FALSE(column.Has(0));
  EXPECT_EQ(column.size(), 0u);
}

}  // namespace
}  // namespace llama::traces
