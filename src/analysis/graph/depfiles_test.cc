#include "analysis/graph/depfiles.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "analysis/graph/build_graph.h"
#include "analysis/path/critical_path.h"
#include "analysis/units/testing.h"
#include "base/file.h"

namespace llama::analysis {
namespace {

TEST(DepfileNames, AreTheInputsOfMakeRules) {
  struct Case {
    const char* rules;
    std::vector<std::string> names;
  };
  const std::vector<Case> cases = {
      {"a.o: a.c b.h\n", {"a.c", "b.h"}},
      {"a.o: a.c \\\n  b.h \\\r\n c.h", {"a.c", "b.h", "c.h"}},
      {"a.o a.d: a.c\n\nb.h:\nc.h:\n", {"a.c"}},
      {"a.o : a.c\n", {"a.c"}},
      {"a.o: with\\ space.h a\\#b.h $$x.h c:d.h\n", {"with space.h", "a#b.h", "$x.h", "c:d.h"}},
      {"my\\ a.o: a.c", {"a.c"}},
      {"no rule", {}},
      {"", {}},
      {"\\", {}},
      {"a:\\", {}},
  };
  for (const Case& c : cases) EXPECT_EQ(DepfileNames(c.rules), c.names) << c.rules;
}

// A folder with the depfile of a.o, whose build was from 0 to 3,000 ms: the header gen.h was
// preprocessed from 0 to 1,000 ms, b.o compiled until 2,000 ms beside it, a.o from 1,000 to 3,000
// ms.
//
//   gen.h ####
//   b.o   ########
//   a.o       ########
class DepfilesTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text, int64_t written_ms = 2500) {
    const std::string path = JoinPath(dir_.path(), name);
    ASSERT_TRUE(MakeDirs(std::string(DirName(path))));
    ASSERT_TRUE(WriteFileAtomic(path, text, 0600));
    const int64_t ns = traces::kTestStartNs + written_ms * traces::kTestMs;
    const timespec time = {ns / 1'000'000'000, ns % 1'000'000'000};
    const timespec times[] = {time, time};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  traces::Columns Build(const std::string& fields = "") const {
    const std::string cwd = R"("cwd":")" + dir_.path() + "\"";
    return traces::LoadText(
        BuildText(3000, R"("jobs":8)") +
        LocalText(1, 0, 1000,
                  cwd + R"(,"reason":"preprocess","source":"gen.in","object":"gen.h")") +
        RemoteText(2, 0, 2000, "b", cwd) + RemoteText(3, 1000, 3000, "a", cwd + fields));
  }

  // Whether a.o is known to have needed gen.h.
  bool IsKnown(const traces::Columns& trace, const GraphSources& sources = {{}, true}) const {
    const Units units = FindUnits(trace);
    const BuildGraph graph = FindGraph(trace, units, sources);
    const auto needs = graph.NeedsOf(2);
    return needs.size() == 1 && UnitLabel(trace, units.all[needs[0]].row) == "gen.in";
  }
  bool IsKnown() const { return IsKnown(Build()); }

  TempDir dir_ = *TempDir::Create("depfiles");
};

TEST_F(DepfilesTest, NameTheHeaderThatAUnitWaitedFor) {
  EXPECT_FALSE(IsKnown());
  Write("a.d", "a.o: a.c ./gen.h\n");
  EXPECT_TRUE(IsKnown());
  EXPECT_FALSE(IsKnown(Build(), {}));  // not asked for

  const traces::Columns trace = Build();
  const Units units = FindUnits(trace);
  const CriticalPath path =
      FindCriticalPath(units, FindGraph(trace, units, {{}, true}), FindJobSlots(trace, units));
  EXPECT_TRUE(path.from_graph);
  ASSERT_EQ(path.links.size(), 2u);
  EXPECT_EQ(UnitLabel(trace, units.all[path.links[0].unit].row), "gen.in");
  EXPECT_EQ(path.links[1].kind, LinkKind::kDependency);
}

TEST_F(DepfilesTest, AreWhereCompilersPutThem) {
  const std::string rule = "a.o: a.c " + dir_.path() + "/x/../gen.h\n";
  Write("a.o.d", rule);
  EXPECT_TRUE(IsKnown());
  const auto given = [](const char* path) { return std::string(R"(,"depfile":")") + path + "\""; };
  EXPECT_FALSE(IsKnown(Build(given(".deps/a.Tpo"))));  // what is given is what there is
  Write(".deps/a.Po", rule);
  EXPECT_TRUE(IsKnown(Build(given(".deps/a.Tpo"))));
  Write("d/a.dep", rule);
  EXPECT_TRUE(IsKnown(Build(given("d/a.dep"))));
}

TEST_F(DepfilesTest, LeadThroughStepsThatAreNoUnits) {
  Write("a.d", "a.o: a.c made.h\n");
  const std::string dir = dir_.path();
  const std::vector<GraphStep> steps = {{dir + "/a.o", {}}, {dir + "/made.h", {dir + "/gen.h"}}};
  EXPECT_TRUE(IsKnown(Build(), {steps, true}));
  EXPECT_FALSE(IsKnown(Build(), {steps, false}));
}

TEST_F(DepfilesTest, OfAnotherBuildTellNothing) {
  Write("a.d", "a.o: a.c gen.h\n", 3001);
  EXPECT_FALSE(IsKnown());
  Write("a.d", "a.o: a.c gen.h\n", -5000);
  EXPECT_FALSE(IsKnown());
  Write("a.d", "a.o: a.c gen.h\n", 3000);
  EXPECT_TRUE(IsKnown());
}

// What a hostile trace names: a folder, a pipe that nobody writes to, a large file.
TEST_F(DepfilesTest, AreOnlySmallRegularFiles) {
  const std::string path = JoinPath(dir_.path(), "a.d");
  ASSERT_EQ(mkdir(path.c_str(), 0700), 0);
  EXPECT_FALSE(IsKnown());
  ASSERT_EQ(rmdir(path.c_str()), 0);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(IsKnown());
  ASSERT_EQ(unlink(path.c_str()), 0);
  const std::string rule = "a.o: a.c gen.h";
  Write("a.d", rule + std::string(kMaxDepfileBytes - rule.size(), '\n'));
  EXPECT_TRUE(IsKnown());
  Write("a.d", rule + std::string(kMaxDepfileBytes, '\n'));
  EXPECT_FALSE(IsKnown());
}

TEST_F(DepfilesTest, AreNotLookedForWithoutAFolder) {
  const traces::Columns trace =
      traces::LoadText(BuildText(3000, "") + RemoteText(3, 1000, 3000, "a"));
  const Units units = FindUnits(trace);
  EXPECT_TRUE(Depfiles(trace, units).NamesOf(0).empty());
}

}  // namespace
}  // namespace llama::analysis
