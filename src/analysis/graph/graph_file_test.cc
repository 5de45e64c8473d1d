#include "analysis/graph/graph_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "analysis/graph/ninja_graph.h"
#include "base/file.h"

namespace llama::analysis {
namespace {

// What ninja 1.11 prints of: cc a.o: a.c || gen.h;  ar lib.a: a.o b.o;  link app: lib.a;  phony
// all.
constexpr char kDot[] = R"(digraph ninja {
rankdir="LR"
node [fontsize=10, shape=box, height=0.25]
"0x1" [label="all"]
"0x2" -> "0x1" [label=" phony"]
"0x2" [label="app"]
"0x3" -> "0x2" [label=" link"]
"0x3" [label="lib.a"]
"0x4" [label="ar", shape=ellipse]
"0x4" -> "0x3"
"0x5" -> "0x4" [arrowhead=none]
"0x6" -> "0x4" [arrowhead=none]
"0x5" [label="sub dir/a.o"]
"0x7" [label="cc", shape=ellipse]
"0x7" -> "0x5"
"0x8" -> "0x7" [arrowhead=none]
"0x9" -> "0x7" [arrowhead=none style=dotted]
"0x8" [label="a.c"]
"0x9" [label="/abs/gen.h"]
"0xa" -> "0x9" [label=" gen"]
"0xa" [label="gen.py"]
"0x6" [label="b.o"]
}
)";

std::string Describe(const std::vector<GraphStep>& steps) {
  std::string out;
  for (const GraphStep& step : steps) {
    out += step.output + ":";
    for (const std::string& input : step.inputs) out += " " + input;
    out += "\n";
  }
  return out;
}

// Sources (a.c, gen.py) and b.o, which nothing makes here, are no inputs that anyone waits for.
constexpr char kSteps[] =
    "/out/all: /out/app\n"
    "/out/app: /out/lib.a\n"
    "/out/lib.a: /out/sub dir/a.o\n"
    "/out/sub dir/a.o: /abs/gen.h\n"
    "/abs/gen.h:\n";

TEST(NinjaGraph, IsReadFromWhatNinjaPrints) {
  EXPECT_EQ(Describe(ParseNinjaGraph(kDot, "/out")), kSteps);
}

TEST(NinjaGraph, LeavesOutWhatMakesNoSense) {
  for (const char* dot : {"", "\"", "\"0x1\" [label=\"", "\"0x1\" -> ", "\"0x1\" -> \"0x1\"\n",
                          "\"0x1\" [label=\"]\n\"0x1\" -> \"0x1\"", "digraph {\n\n\n"}) {
    EXPECT_LE(ParseNinjaGraph(dot, "/out").size(), 1u) << dot;
  }
  const std::string dot = kDot;
  for (size_t size = 0; size < dot.size(); size += 7) {
    ParseNinjaGraph(std::string_view(dot).substr(0, size), "/out");
  }
}

class GraphFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "graph.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override {
    unlink(GraphPath(dir_).c_str());
    rmdir(dir_.c_str());
  }
  std::string dir_;
};

TEST_F(GraphFileTest, GivesBackWhatWasWritten) {
  EXPECT_TRUE(ReadGraph(dir_).empty());
  ASSERT_TRUE(WriteGraph(dir_, ParseNinjaGraph(kDot, "/out")));
  EXPECT_EQ(Describe(ReadGraph(dir_)), kSteps);
}

TEST_F(GraphFileTest, ReadsADamagedOneAsFarAsItGoes) {
  ASSERT_TRUE(WriteGraph(dir_, ParseNinjaGraph(kDot, "/out")));
  const auto whole = ReadFile(GraphPath(dir_), 1 << 20);
  ASSERT_TRUE(whole);
  for (size_t size = 0; size < whole->size(); ++size) {
    ASSERT_TRUE(WriteFileAtomic(GraphPath(dir_), whole->substr(0, size), 0600));
    EXPECT_LE(ReadGraph(dir_).size(), 5u);
  }
}

}  // namespace
}  // namespace llama::analysis
