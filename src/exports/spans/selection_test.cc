#include "exports/spans/selection.h"

#include "exports/spans/testing.h"

namespace llama::exports {
namespace {

// Span ids in the order in which they are exported.
std::vector<uint64_t> Ids(const Selection& selection) {
  std::vector<uint64_t> ids;
  for (const Row row : selection.rows()) ids.push_back(selection.columns().span_id()[row]);
  return ids;
}

using IdList = std::vector<uint64_t>;

Selection Select(const traces::Columns& columns, const SelectOptions& options) {
  auto selection = Selection::Of(columns, options);
  EXPECT_TRUE(selection) << selection.error().message;
  return *std::move(selection);
}

TEST(Selection, PutsParentsFirstAndTracesByStart) {
  // Lines come in any order; trace 2 starts first.
  const auto columns =
      traces::LoadText(SpanText(1, 13, 11, "c", 30, 5) + SpanText(1, 12, 11, "b", 20, 5) +
                       SpanText(1, 14, 12, "d", 21, 1) + SpanText(1, 11, 0, "a", 10, 50) +
                       SpanText(2, 21, 0, "e", 5, 1));
  const Selection selection = SelectAll(columns);
  EXPECT_EQ(Ids(selection), (IdList{21, 11, 12, 14, 13}));
  ASSERT_EQ(selection.traces().size(), 2u);
  EXPECT_EQ(selection.rows_of(selection.traces()[1]).size(), 4u);
  EXPECT_EQ(selection.first_start_ns(), traces::kTestStartNs + 5 * traces::kTestMs);
}

TEST(Selection, OfATimeRangeCountsFromTheBuildsStart) {
  const auto columns = traces::LoadText(SmallBuild());
  SelectOptions options;
  options.range = *ParseTimeRange("0..8ms");
  const Selection early = Select(columns, options);
  EXPECT_EQ(Ids(early), (IdList{1, 2, 0x11, 0x12}));
  options.range = *ParseTimeRange("27ms..");
  const Selection late = Select(columns, options);
  EXPECT_EQ(Ids(late), (IdList{1, 0x11, 0x14}));
  EXPECT_FALSE(late.has(columns.rows_named("invoke")[0]));
  EXPECT_EQ(late.parent(columns.rows_named("write")[0]), columns.rows_named("llamacc")[0]);
}

TEST(Selection, OfTheSlowestLeavesTheBuildItselfOut) {
  const auto columns = traces::LoadText(SmallBuild() + SpanText(3, 31, 0, "llamacc", 5, 26) +
                                        SpanText(4, 41, 0, "llamacc", 5, 3));
  SelectOptions options;
  options.slowest = 1;
  EXPECT_EQ(Ids(Select(columns, options)), IdList{31});
  options.slowest = 100;
  EXPECT_EQ(Ids(Select(columns, options)).size(), 6u);
}

TEST(Selection, OfATraceTakesItsIdOrTheBeginning) {
  // The first is as the original's: 16 digits.
  const auto columns = traces::LoadText(
      R"({"trace_id":"00000000000000ff","span_id":"0000000000000001","parent_id":"",)"
      R"("name":"a","start":"2026-11-22T08:20:50Z","duration":1,"fields":{}})"
      "\n" +
      SmallBuild());
  struct Case {
    const char* id;
    IdList expected;
  };
  for (const Case& c : {Case{"00000000000000ff", {1}},
                        {"000000000000000000000000000000ff", {1}},
                        {"0000000000000abc0000000000000002", {0x11, 0x12, 0x13, 0x14}},
                        {"00000000000000000", {1}}}) {
    SelectOptions options;
    options.traces = {c.id};
    EXPECT_EQ(Ids(Select(columns, options)), c.expected) << c.id;
  }
  SelectOptions options;
  options.traces = {"0000000000000abc"};
  EXPECT_EQ(Selection::Of(columns, options).error().code, Code::kInvalid);
  options.traces = {"f00"};
  EXPECT_EQ(Selection::Of(columns, options).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace llama::exports
