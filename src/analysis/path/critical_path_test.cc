#include "analysis/path/critical_path.h"

#include <gtest/gtest.h>

#include "analysis/units/testing.h"

namespace llama::analysis {
namespace {

struct Found {
  traces::Columns trace;
  Units units;
  JobSlots slots;
  CriticalPath path;
};

Found FindPathIn(const std::string& text, const std::vector<GraphStep>& steps = {}) {
  Found out{traces::LoadText(text), {}, {}, {}};
  out.units = FindUnits(out.trace);
  out.slots = FindJobSlots(out.trace, out.units);
  out.path =
      FindCriticalPath(out.units, FindGraph(out.trace, out.units, {steps, false}), out.slots);
  return out;
}

// "a.c:start:100+0 b.c:slot:300+5": the unit, why it waited, its time and the gap before, in ms.
std::string Describe(const Found& found) {
  std::string out;
  for (const PathLink& link : found.path.links) {
    if (!out.empty()) out += " ";
    out += UnitLabel(found.trace, found.units.all[link.unit].row) + ":" + LinkKindName(link.kind) +
           ":" + std::to_string(link.time_ns / traces::kTestMs) + "+" +
           std::to_string(link.gap_ns / traces::kTestMs);
  }
  return out;
}

void ExpectSum(const Found& found) {
  const CriticalPath& path = found.path;
  EXPECT_EQ(path.before_ns + path.units_ns + path.gaps_ns + path.after_ns, found.units.wall_ns());
}

constexpr char kTwoJobs[] = R"("jobs":2)";
constexpr char kNineJobs[] = R"("jobs":9)";

// Two slots:   a 100..1000          c 1005..1400
//              b 100..1500                         d 1505..2000      the build ends at 2100
// d came when b gave up its slot (two ran until then), b was there from the start.
TEST(CriticalPath, GoesThroughWhoGaveUpItsSlot) {
  const Found found = FindPathIn(BuildText(2100, kTwoJobs) + RemoteText(1, 100, 1000, "a") +
                                 RemoteText(2, 100, 1500, "b") + RemoteText(3, 1005, 1450, "c") +
                                 RemoteText(5, 1455, 1800, "e") + RemoteText(4, 1505, 2000, "d"));
  EXPECT_EQ(Describe(found), "b.c:start:1400+0 d.c:slot:495+5");
  EXPECT_EQ(found.path.before_ns, 100 * traces::kTestMs);
  EXPECT_EQ(found.path.after_ns, 100 * traces::kTestMs);
  EXPECT_EQ(found.path.gaps_ns, 5 * traces::kTestMs);
  EXPECT_FALSE(found.path.from_graph);
  ExpectSum(found);
}

// Slots are free, so who starts 10 ms after another's end is taken to have waited for it; who
// starts 600 ms later is not.
TEST(CriticalPath, EstimatesByTimingWhereNothingIsKnown) {
  const Found found = FindPathIn(BuildText(4000, kNineJobs) + RemoteText(1, 0, 1000, "a") +
                                 RemoteText(2, 1010, 2000, "b") + RemoteText(3, 2600, 4000, "c"));
  EXPECT_EQ(Describe(found), "a.c:start:1000+0 b.c:followed:990+10 c.c:late:1400+600");
  EXPECT_EQ(found.path.few, 1);
  // Each ran alone all of its time.
  for (const PathLink& link : found.path.links) EXPECT_EQ(link.low_ns, link.time_ns);
  ExpectSum(found);
}

// The link reads a.o, which was there at 1000, and b.o, there at 2000; c ended last before the
// link began, but the link does not read c.o.
//   a 0..1000   b 0..2000   c 0..2040   link 2050..3000 (a.o, ./x/../b.o)
TEST(CriticalPath, FollowsTheGraphWhereItIsKnown) {
  const std::string link = LocalText(
      4, 2050, 3000,
      R"("reason":"link","object":"app","cwd":"/p","source":"b.o","inputs":"a.o\n./x/../b.o")");
  const std::string cwd = R"("cwd":"/p")";
  const Found found =
      FindPathIn(BuildText(3000, kNineJobs) + RemoteText(1, 0, 1000, "a", cwd) +
                 RemoteText(2, 0, 2000, "b", cwd) + RemoteText(3, 0, 2040, "c", cwd) + link);
  EXPECT_EQ(Describe(found), "b.c:start:2000+0 app:dependency:950+50");
  EXPECT_TRUE(found.path.from_graph);
  ExpectSum(found);
}

TEST(CriticalPath, TakesNamesByTheirFolder) {
  // The same name in another folder is another file.
  const Found found =
      FindPathIn(BuildText(3000, kNineJobs) + RemoteText(1, 0, 1000, "a", R"("cwd":"/p")") +
                 RemoteText(2, 0, 2000, "a", R"("cwd":"/q")") +
                 LocalText(4, 2700, 3000, R"("object":"app","cwd":"/p","inputs":"a.o")"));
  // a.o of /p was there 1700 ms before: known, but not what the link waited for.
  EXPECT_EQ(Describe(found), "a.c:start:2000+0 app:late:300+700");
}

// ninja's graph goes through steps that llama sees nothing of: a.o → lib.a → app.
TEST(CriticalPath, LooksThroughStepsThatAreNoUnits) {
  const std::string cwd = R"("cwd":"/p")";
  const std::string text = BuildText(3000, kNineJobs) + RemoteText(1, 0, 1000, "a", cwd) +
                           RemoteText(2, 0, 1900, "b", cwd) +
                           LocalText(3, 2000, 3000, R"("object":"app","cwd":"/p")");
  const std::vector<GraphStep> steps = {{"/p/a.o", {"/p/a.c"}},
                                        {"/p/b.o", {"/p/b.c"}},
                                        {"/p/lib.a", {"/p/a.o"}},
                                        {"/p/app", {"/p/lib.a", "/p/app"}}};
  // b ended later, and the graph says that nothing waits for it: app came 1000 ms late.
  EXPECT_EQ(Describe(FindPathIn(text, steps)), "a.c:start:1000+0 app:late:1000+1000");
  // Without the graph it is a guess by timing.
  EXPECT_EQ(Describe(FindPathIn(text)), "b.c:start:1900+0 app:followed:1000+100");
}

// ninja knows all steps, and none of them needs another unit: that is no estimate.
TEST(CriticalPath, OfACompleteGraphIsNoEstimate) {
  const std::string cwd = R"("cwd":"/p")";
  const std::string text = BuildText(2000, kNineJobs) + RemoteText(1, 0, 1000, "a", cwd) +
                           RemoteText(2, 1010, 2000, "b", cwd);
  const Found known = FindPathIn(text, {{"/p/a.o", {"/p/a.c"}}, {"/p/b.o", {"/p/b.c"}}});
  EXPECT_EQ(Describe(known), "a.c:start:1000+0 b.c:late:990+10");
  EXPECT_TRUE(known.path.from_graph);
  const auto text_of = [](const Found& found) {
    return FormatCriticalPath(UnitNames(found.trace, std::nullopt), found.units, found.path, 10);
  };
  EXPECT_EQ(text_of(known).find("estimate"), std::string::npos);
  EXPECT_NE(text_of(FindPathIn(text)).find("estimate"), std::string::npos);
}

TEST(CriticalPath, SeesALocalEndThatWasNoticedLate) {
  // The link's end was seen 3 ms after what came next had begun.
  const Found found =
      FindPathIn(BuildText(2000, kNineJobs) + LocalText(1, 0, 1003, R"("source":"a.c")") +
                 RemoteText(2, 1000, 2000, "b"));
  EXPECT_EQ(Describe(found), "a.c:start:1000+0 b.c:followed:1000+0");
  ExpectSum(found);
}

TEST(CriticalPath, EndsWithUnitsThatNameEachOther) {
  const Found found = FindPathIn(
      BuildText(1000, kNineJobs) + RemoteText(1, 0, 0, "a", R"("inputs":"b.o\na.o","cwd":"/")") +
      RemoteText(2, 0, 0, "b", R"("inputs":"a.o\n../../b.o","cwd":"/")"));
  EXPECT_LE(found.path.links.size(), 2u);
  ExpectSum(found);
}

TEST(CriticalPath, IsEmptyOfNothing) {
  const Found found = FindPathIn("");
  EXPECT_TRUE(found.path.links.empty());
  EXPECT_EQ(FormatCriticalPath(UnitNames(found.trace, std::nullopt), found.units, found.path, 10),
            "");
}

TEST(CriticalPath, ListsTheLongestLinksInOrder) {
  const Found found =
      FindPathIn(BuildText(4000, kNineJobs) + RemoteText(1, 0, 1000, "a") +
                 RemoteText(2, 1010, 1500, "b") + RemoteText(3, 1510, 4000, "c\\u001b"));
  EXPECT_EQ(FormatCriticalPath(UnitNames(found.trace, std::nullopt), found.units, found.path, 2),
            "critical path: 3 units, 3.98 s in them, 20.0 ms between them (an estimate, by who "
            "finished last)\n"
            "      1.00 s  first        remote  a.c\n"
            "      490 ms  in others\n"
            "      2.49 s  after it     remote  c?.c\n");
}

struct JobsCase {
  std::vector<std::string> command;
  const char* makeflags;
  std::optional<int64_t> jobs;
};

TEST(JobSlots, AreReadFromTheCommand) {
  const std::vector<JobsCase> cases = {
      {{"make", "-j200"}, "", 200},
      {{"make", "-j", "8", "all"}, "", 8},
      {{"make", "-j", "all"}, "", kUnlimitedJobs},
      {{"make", "-kj4"}, "", 4},
      {{"make", "--jobs=16"}, "", 16},
      {{"make", "--jobs", "16"}, "", 16},
      {{"make", "-j4", "-j6"}, "", 6},
      {{"make", "-C", "x"}, "", 1},
      {{"make"}, "-j12 -k", 12},
      {{"make"}, "kj12", 12},
      {{"make", "-j3"}, "-j12", 3},
      {{"env", "V=1", "nice", "/usr/bin/make", "-j5"}, "", 5},
      {{"ninja"}, "", 10},
      {{"ninja", "-C", "out", "-j7"}, "", 7},
      {{"ninja", "-j0"}, "", kUnlimitedJobs},
      {{"cmake", "--build", "out", "--parallel", "9"}, "", 9},
      {{"cmake", "--build", "out"}, "", std::nullopt},
      {{"cmake", "--build", "out", "--", "-j3"}, "", 3},
      {{"sh", "-c", "cd x && make -j2 && make install"}, "", 2},
      {{"./build.sh", "-j4"}, "", std::nullopt},
      {{"make", "-j99999999999999999999"}, "", 1},
      {{}, "", std::nullopt},
  };
  for (const JobsCase& c : cases) {
    std::string shown;
    for (const std::string& word : c.command) shown += word + " ";
    EXPECT_EQ(JobsOfCommand(c.command, c.makeflags, 8), c.jobs) << shown << c.makeflags;
  }
}

TEST(JobSlots, AreWhatRanIfNothingIsKnown) {
  const auto slots_of = [](std::string_view fields) {
    const traces::Columns trace =
        traces::LoadText(BuildText(100, fields) + RemoteText(1, 0, 50) + RemoteText(2, 0, 50) +
                         RemoteText(3, 0, 60) + RemoteText(4, 0, 60) + RemoteText(5, 0, 60));
    return FindJobSlots(trace, FindUnits(trace));
  };
  EXPECT_EQ(slots_of(R"("command":"./build.sh")").count, 5);
  EXPECT_FALSE(slots_of(R"("command":"./build.sh")").known);
  EXPECT_EQ(slots_of(R"("command":"make -j50")").count, 50);
  EXPECT_TRUE(slots_of(R"("command":"make -j50")").known);
  EXPECT_EQ(slots_of(R"("command":"make -j50","jobs":4)").count, 4);
  // Five run where one should: there is another make below this one.
  EXPECT_EQ(slots_of(R"("jobs":1)").count, 5);
  EXPECT_EQ(slots_of(R"("jobs":-3)").count, 5);
}

}  // namespace
}  // namespace llama::analysis
