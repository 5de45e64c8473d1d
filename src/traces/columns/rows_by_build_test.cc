#include "traces/columns/rows_by_build.h"

#include <gtest/gtest.h>

#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::traces {
namespace {

// Spans of builds in turn: b1 b2 b1 b2 b1 b3.
class RowsByBuildTest : public ::testing::Test {
 protected:
  static Columns Load() {
    std::string lines;
    const char* builds[] = {"b1", "b2", "b1", "b2", "b1", "b3"};
    for (int i = 0; i < 6; ++i) {
      lines += SpanText(i + 1, 1, 0, "x", i, 1,
                        std::string("\"global.build_id\":\"").append(builds[i]).append("\""));
    }
    return LoadText(lines);
  }
  uint32_t Build(std::string_view id) const {
    for (uint32_t build = 0; build < columns_.builds().size(); ++build) {
      if (columns_.text(columns_.builds()[build].id) == id) return build;
    }
    ADD_FAILURE() << id;
    return 0;
  }
  // Row of the i-th line.
  Row At(int i) const {
    for (Row row = 0; row < columns_.size(); ++row) {
      if (columns_.start_ns()[row] == columns_.start_ns()[0] + i * 1'000'000) return row;
    }
    ADD_FAILURE() << i;
    return 0;
  }
  static std::vector<Row> ListOf(std::span<const Row> rows) { return {rows.begin(), rows.end()}; }

  const Columns columns_ = Load();
};

TEST_F(RowsByBuildTest, KeepsTheOrderWithinABuild) {
  const RowsByBuild rows(columns_, {At(4), At(1), At(0), At(3), At(2)});
  EXPECT_EQ(ListOf(rows.of(Build("b1"))), (std::vector<Row>{At(4), At(0), At(2)}));
  EXPECT_EQ(ListOf(rows.of(Build("b2"))), (std::vector<Row>{At(1), At(3)}));
  EXPECT_TRUE(rows.of(Build("b3")).empty());
}

TEST_F(RowsByBuildTest, VisitsEachBuildThatHasRowsOnce) {
  const RowsByBuild rows(columns_, {At(5), At(3), At(1), At(0)});
  std::vector<std::pair<uint32_t, size_t>> seen;
  rows.ForEach([&](uint32_t build, auto of) { seen.emplace_back(build, of.size()); });
  std::vector<std::pair<uint32_t, size_t>> wanted = {
      {Build("b1"), 1}, {Build("b2"), 2}, {Build("b3"), 1}};
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(seen, wanted);
  RowsByBuild(columns_, {}).ForEach([](uint32_t, auto) { FAIL(); });
}

}  // namespace
}  // namespace llama::traces
