// The trees of spans, by traces made by hand.
#include "traces/load/tree.h"

#include <gtest/gtest.h>

#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::traces {
namespace {

std::vector<Row> List(std::span<const Row> rows) { return {rows.begin(), rows.end()}; }

// 0 compile 0–100: 1 parse 0–10, 2 invoke 20–90 (3 worker 30–80), 4 verify 90–95.
std::string Compile() {
  return SpanText(1, 10, 0, "llamacc", 0, 100) + SpanText(1, 11, 10, "parse", 0, 10) +
         SpanText(1, 12, 10, "invoke", 20, 70) + SpanText(1, 13, 12, "worker", 30, 50) +
         SpanText(1, 14, 10, "verify", 90, 5);
}

TEST(TreeTest, ParentsChildrenDepthAndPaths) {
  const Columns c = LoadText(Compile());
  ASSERT_EQ(c.size(), 5u);
  EXPECT_EQ(List(c.parent()), (std::vector<Row>{kNoRow, 0, 0, 2, 0}));
  EXPECT_EQ(List(c.children(0)), (std::vector<Row>{1, 2, 4}));
  EXPECT_EQ(List(c.children(2)), (std::vector<Row>{3}));
  EXPECT_TRUE(c.children(3).empty());
  EXPECT_EQ(List(c.roots()), (std::vector<Row>{0}));
  EXPECT_EQ(c.depth()[0], 0);
  EXPECT_EQ(c.depth()[3], 2);
  EXPECT_EQ(c.PathText(c.path()[3]), "llamacc>invoke>worker");
  EXPECT_EQ(c.PathText(c.path()[0]), "llamacc");
  EXPECT_EQ(List(c.rows_named("invoke")), (std::vector<Row>{2}));
  EXPECT_EQ(c.report().late, 4u);  // the root's line came first
}

TEST(TreeTest, EqualPathsAreOne) {
  const Columns c = LoadText(SpanText(1, 1, 0, "a", 0, 9) + SpanText(1, 2, 1, "b", 0, 1) +
                             SpanText(1, 3, 1, "b", 2, 1) + SpanText(2, 1, 0, "a", 0, 9) +
                             SpanText(2, 2, 1, "b", 0, 1));
  EXPECT_EQ(c.paths().size(), 2u);
  EXPECT_EQ(c.path()[1], c.path()[4]);
}

TEST(TreeTest, SelfTimeIsWhatNoChildCovers) {
  const Columns c = LoadText(Compile());
  EXPECT_EQ(c.self_ns()[0], 15 * kTestMs);  // 10–20 and 95–100
  EXPECT_EQ(c.self_ns()[2], 20 * kTestMs);
  EXPECT_EQ(c.self_ns()[3], 50 * kTestMs);
}

// Overlapping children count once, and only inside their parent.
TEST(TreeTest, SelfTimeOfOverlappingChildren) {
  const Columns c = LoadText(SpanText(1, 1, 0, "a", 100, 100) + SpanText(1, 2, 1, "b", 150, 30) +
                             SpanText(1, 3, 1, "b", 120, 40) + SpanText(1, 4, 1, "b", 130, 10) +
                             SpanText(1, 5, 1, "b", 190, 500) + SpanText(1, 6, 1, "b", 0, 105) +
                             SpanText(1, 7, 1, "b", 300, 5));
  EXPECT_EQ(c.self_ns()[0], (100 - 60 - 10 - 5) * kTestMs);
  EXPECT_EQ(List(c.children(0)), (std::vector<Row>{5, 2, 3, 1, 4, 6}));
}

TEST(TreeTest, ChildrenMayComeFirstAndTracesMayInterleave) {
  const Columns c =
      LoadText(SpanText(1, 13, 12, "worker", 0, 1) + SpanText(2, 10, 0, "llamacc", 0, 1) +
               SpanText(1, 12, 10, "invoke", 0, 1) + SpanText(2, 12, 10, "invoke", 0, 1) +
               SpanText(1, 10, 0, "llamacc", 0, 1));
  EXPECT_EQ(List(c.parent()), (std::vector<Row>{2, kNoRow, 4, 1, kNoRow}));
  EXPECT_EQ(List(c.rows_of_trace(0)), (std::vector<Row>{0, 2, 4}));
  EXPECT_EQ(c.depth()[0], 2);
  EXPECT_EQ(c.report().late, 1u);
}

TEST(TreeTest, OrphansAreKeptAsRoots) {
  const Columns c = LoadText(SpanText(1, 2, 99, "a", 0, 1) + SpanText(1, 3, 2, "b", 0, 1) +
                             SpanText(2, 99, 0, "c", 0, 1));
  EXPECT_EQ(c.report().orphans, 1u);  // the 99 of another trace is not its parent
  EXPECT_EQ(List(c.roots()), (std::vector<Row>{0, 2}));
  EXPECT_EQ(c.parent_id()[0], 99u);
  EXPECT_EQ(c.depth()[1], 1);
}

TEST(TreeTest, OfDuplicatesTheFirstIsKept) {
  const Columns c = LoadText(
      SpanText(1, 1, 0, "a", 0, 5, R"("v":1,"w":"first")") +
      SpanText(1, 1, 0, "a", 7, 9, R"("v":2,"x":true)") + SpanText(1, 2, 1, "b", 0, 1, R"("v":3)") +
      SpanText(1, 2, 1, "b", 0, 1, R"("v":4)") + SpanText(2, 1, 0, "c", 0, 1, R"("v":5)"));
  EXPECT_EQ(c.report().duplicates, 2u);
  ASSERT_EQ(c.size(), 3u);
  EXPECT_EQ(FieldsOf(c, 0), R"({"v":1,"w":"first"})");
  EXPECT_EQ(FieldsOf(c, 1), R"({"v":3})");
  EXPECT_EQ(FieldsOf(c, 2), R"({"v":5})");
  EXPECT_EQ(c.duration_ns()[0], 5 * kTestMs);
  EXPECT_EQ(List(c.children(0)), (std::vector<Row>{1}));
}

TEST(TreeTest, CyclesAreCutOnce) {
  // 1 → 2 → 3 → 1, with 4 below 2; 5 is its own parent; 6 and 7 are a tree of their own.
  const Columns c = LoadText(SpanText(1, 1, 3, "a", 0, 9) + SpanText(1, 2, 1, "b", 0, 9) +
                             SpanText(1, 3, 2, "c", 0, 9) + SpanText(1, 4, 2, "d", 0, 9) +
                             SpanText(1, 5, 5, "e", 0, 9) + SpanText(1, 6, 0, "f", 0, 9) +
                             SpanText(1, 7, 6, "g", 0, 9));
  EXPECT_EQ(c.report().cyclic, 2u);
  EXPECT_EQ(c.size(), 7u);
  EXPECT_EQ(List(c.roots()), (std::vector<Row>{0, 4, 5}));
  EXPECT_EQ(c.depth()[3], 2);
  EXPECT_EQ(List(c.children(0)), (std::vector<Row>{1}));
  EXPECT_TRUE(c.children(2).empty());
}

// Deeper than any recursion could go, and than depth can say.
TEST(TreeTest, ChainsMayBeDeep) {
  std::string text;
  constexpr int kDepth = 70'000;
  for (int i = 1; i <= kDepth; ++i) text += SpanText(1, i, i - 1, "a", 0, 9);
  const Columns c = LoadText(text);
  ASSERT_EQ(c.size(), Row{kDepth});
  EXPECT_EQ(c.depth()[kDepth - 1], UINT16_MAX);
  EXPECT_EQ(c.paths().size(), size_t{kMaxPathDepth});
  EXPECT_EQ(c.self_ns()[kDepth - 1], 9 * kTestMs);
}

TEST(TreeTest, BuildIsWhatTheTraceSaysOrTheFile) {
  const Columns c = LoadText(SpanText(1, 2, 1, "a", 0, 1) +
                             SpanText(1, 1, 0, "llamacc", 0, 1, R"("global.build_id":"b1")") +
                             SpanText(2, 1, 0, "llamacc", 0, 1, R"("global.build_id":"b2")") +
                             SpanText(3, 1, 0, "llamacc", 0, 1, R"("global.build_id":7)") +
                             SpanText(1, 3, 1, "a", 0, 1));
  ASSERT_EQ(c.builds().size(), 3u);
  EXPECT_EQ(c.text(c.builds()[0].id), "b1");
  EXPECT_EQ(c.text(c.builds()[1].id), "b2");
  EXPECT_EQ(c.text(c.builds()[2].id), "text");
  EXPECT_EQ(List(c.build()), (std::vector<uint32_t>{0, 0, 1, 2, 0}));
  EXPECT_EQ(c.builds()[0].begin, 0u);
  EXPECT_EQ(c.builds()[0].end, 5u);
  EXPECT_EQ(c.builds()[1].begin, 2u);
  EXPECT_EQ(c.builds()[1].end, 3u);
}

}  // namespace
}  // namespace llama::traces
