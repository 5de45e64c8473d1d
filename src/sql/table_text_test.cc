#include "sql/table_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace llama::sql {
namespace {

std::string Write(const TableStyle& style, const std::vector<std::string>& columns,
                  const std::vector<std::vector<Cell>>& rows) {
  std::string out;
  const auto writer = TableWriter::Create(style, [&](std::string_view text) { out += text; });
  writer->Begin(columns);
  for (const auto& row : rows) writer->Add(row);
  writer->End();
  return out;
}

const std::vector<std::string> kColumns = {"name", "n", "x"};
const std::vector<std::vector<Cell>> kRows = {
    {Cell::Text("plain"), Cell::Int(5), Cell::Double(0.1)},
    {Cell::Text("a,\"b\"\n|c"), Cell::Int(-1234), Cell::Null()},
    {Cell::Text("größe"), Cell::Null(), Cell::Double(2)},
};

TEST(TableTextTest, WritesEachFormat) {
  EXPECT_EQ(Write({}, kColumns, kRows),
            "name          n    x\n"
            "plain         5  0.1\n"
            "a,\"b\"?|c  -1234\n"
            "größe            2.0\n");
  EXPECT_EQ(Write({TableFormat::kCsv}, kColumns, kRows),
            "name,n,x\r\n"
            "plain,5,0.1\r\n"
            "\"a,\"\"b\"\"\n|c\",-1234,\r\n"
            "größe,,2\r\n");
  EXPECT_EQ(Write({TableFormat::kJson}, kColumns, kRows),
            "[{\"name\":\"plain\",\"n\":5,\"x\":0.1},\n"
            "{\"name\":\"a,\\\"b\\\"\\n|c\",\"n\":-1234,\"x\":null},\n"
            "{\"name\":\"größe\",\"n\":null,\"x\":2}]\n");
  EXPECT_EQ(Write({TableFormat::kMarkdown}, kColumns, kRows),
            "| name | n | x |\n"
            "| --- | ---: | ---: |\n"
            "| plain | 5 | 0.1 |\n"
            "| a,\"b\"?\\|c | -1234 |  |\n"
            "| größe |  | 2.0 |\n");
}

TEST(TableTextTest, VerticalIsALineAColumn) {
  EXPECT_EQ(Write({TableFormat::kVertical}, {"name", "größe", "x"},
                  {{Cell::Text("a\x1b\nb"), Cell::Int(-1234), Cell::Null()},
                   {Cell::Text(std::string(300, 'y')), Cell::Double(2), Cell::Text("z")}}),
            "-[ row 1 ]-\n"
            "name   a??b\n"
            "größe  -1234\n"
            "x\n"
            "-[ row 2 ]-\n"
            "name   " +
                std::string(300, 'y') +
                "\n"
                "größe  2.0\n"
                "x      z\n");
  EXPECT_EQ(Write({TableFormat::kVertical}, {"name"}, {}), "no rows\n");
  EXPECT_EQ(Write({TableFormat::kVertical, true}, {"n"}, {{Cell::Int(1)}}),
            "\x1b[1m-[ row 1 ]-\x1b[0m\nn  1\n");
}

TEST(TableTextTest, CsvGivesASpreadsheetNoFormulas) {
  EXPECT_EQ(Write({TableFormat::kCsv}, {"=a", "b", "c"},
                  {{Cell::Text("=1+1"), Cell::Int(-1), Cell::Text("a=b")}}),
            "'=a,b,c\r\n'=1+1,-1,a=b\r\n");
}

TEST(TableTextTest, CsvTellsInfiniteFromNull) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Write({TableFormat::kCsv}, {"a", "b", "c"},
                  {{Cell::Double(inf), Cell::Double(-inf), Cell::Null()}}),
            "a,b,c\r\ninf,-inf,\r\n");
}

TEST(TableTextTest, AnEmptyTableHasItsHeader) {
  EXPECT_EQ(Write({}, kColumns, {}), "name  n  x\n");
  EXPECT_EQ(Write({TableFormat::kCsv}, kColumns, {}), "name,n,x\r\n");
  EXPECT_EQ(Write({TableFormat::kJson}, kColumns, {}), "[]\n");
  EXPECT_EQ(Write({TableFormat::kMarkdown}, kColumns, {}),
            "| name | n | x |\n| --- | --- | --- |\n");
}

TEST(TableTextTest, JsonKeysAreDistinct) {
  EXPECT_EQ(
      Write({TableFormat::kJson}, {"a", "a", "a_2"}, {{Cell::Int(1), Cell::Int(2), Cell::Int(3)}}),
      "[{\"a\":1,\"a_2\":2,\"a_2_2\":3}]\n");
}

TEST(TableTextTest, LongCellsAreCutWhereAskedBetweenCharacters) {
  TableStyle style;
  style.max_cell_width = 4;
  EXPECT_EQ(Write(style, {"c"}, {{Cell::Text("üüüü")}, {Cell::Text("üüüüü")}}), "c\nüüüü\nüüü…\n");
}

TEST(TableTextTest, WritesManyRowsAsTheyCome) {
  size_t calls = 0;
  const auto writer = TableWriter::Create({}, [&](std::string_view) { ++calls; });
  writer->Begin(std::vector<std::string>{"n"});
  const Cell row = Cell::Int(1);
  for (int i = 0; i < 2000; ++i) writer->Add({&row, 1});
  EXPECT_GE(calls, 2000u);
  writer->End();
  EXPECT_EQ(calls, 2001u);
}

}  // namespace
}  // namespace llama::sql
