// Two small builds whose differences were worked out by hand.
#include "analysis/compare/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::analysis {
namespace {

// Times in ms. In both a.c is compiled remotely and b.c locally, and there are links:
//
//             A                                   B
//   a.o←a.c   1000–4000: send 500, invoke 2500    1000–8000: send 500, invoke 6500
//             (exec 1500 of it)                   (exec 6000 of it)
//   b.o←b.c   4000–6000: local 2000               8000–9000: local 1000
//   (link)    6000–6100 and 7000–7300             9000–9100 and 9200–9505
//   gone.o    8000–9000: nothing below            –
//   new.o     –                                   9600–9900: nothing below
//   build     10,000                              10,500
std::string BuildA() {
  return traces::SpanText(1, 1, 0, "build", 0, 10'000,
                          R"("global.build_id":"a","command":"make -j2","cwd":"/x","version":"1",)"
                          R"("tags.branch":"main")") +
         traces::SpanText(1, 2, 1, "machine", 0, 1000,
                          R"("cpu.user_ns":700,"cpu.system_ns":300,"daemon.user_ns":10,)"
                          R"("daemon.system_ns":5)") +
         traces::SpanText(
             2, 1, 0, "llamacc", 1000, 3000,
             R"("source":"a.c","object":"/x/a.o","remote":true,"compiler":"/usr/bin/gcc",)"
             R"("local.user_ns":7,"local.system_ns":1)") +
         traces::SpanText(2, 2, 1, "send", 1000, 500) +
         traces::SpanText(2, 3, 1, "invoke", 1500, 2500,
                          R"("user_ns":1000,"system_ns":200,"memory_mb":1769,"billed_ms":0)") +
         traces::SpanText(2, 4, 3, "exec", 2000, 1500) +
         traces::SpanText(3, 1, 0, "llamacc", 4000, 2000, R"("source":"b.c","object":"b.o")") +
         traces::SpanText(3, 2, 1, "local", 4000, 2000) +
         traces::SpanText(4, 1, 0, "llamacc", 6000, 100, R"("reason":"link")") +
         traces::SpanText(5, 1, 0, "llamacc", 7000, 300, R"("reason":"link")") +
         traces::SpanText(6, 1, 0, "llamacc", 8000, 1000, R"("object":"gone.o")");
}

std::string BuildB() {
  return traces::SpanText(
             1, 1, 0, "build", 0, 10'500,
             R"("global.build_id":"b","command":"make -j4","cwd":"/y","version":"1")") +
         traces::SpanText(
             2, 1, 0, "llamacc", 1000, 7000,
             R"("source":"a.c","object":"/y/a.o","remote":true,"compiler":"/usr/bin/clang")") +
         traces::SpanText(2, 2, 1, "send", 1000, 500) +
         traces::SpanText(2, 3, 1, "invoke", 1500, 6500,
                          R"("user_ns":4000,"system_ns":200,"memory_mb":1769,"billed_ms":0)") +
         traces::SpanText(2, 4, 3, "exec", 1700, 6000) +
         traces::SpanText(3, 1, 0, "llamacc", 8000, 1000, R"("source":"b.c","object":"b.o")") +
         traces::SpanText(3, 2, 1, "local", 8000, 1000) +
         traces::SpanText(4, 1, 0, "llamacc", 9000, 100, R"("reason":"link")") +
         traces::SpanText(5, 1, 0, "llamacc", 9200, 305, R"("reason":"link")") +
         traces::SpanText(6, 1, 0, "llamacc", 9600, 300, R"("object":"new.o")");
}

BuildProfile Profile(const std::string& text, const std::string& id) {
  return ProfileBuild(traces::LoadText(text, {.correct_clocks = false}), id, nullptr);
}

Comparison CompareAB() { return Compare({Profile(BuildA(), "a")}, {Profile(BuildB(), "b")}); }

const FigureDifference& FigureOf(const Comparison& c, std::string_view key) {
  for (const FigureDifference& figure : c.figures) {
    if (figure.key == key) return figure;
  }
  ADD_FAILURE() << key;
  return c.figures[0];
}

void ExpectSumsExactly(const Decomposition& whole) {
  int64_t a_ns = 0;
  int64_t b_ns = 0;
  int64_t delta_ns = 0;
  for (const PartDifference& part : whole.parts) {
    a_ns += part.a_ns;
    b_ns += part.b_ns;
    delta_ns += part.delta_ns();
  }
  EXPECT_EQ(a_ns, whole.a_ns);
  EXPECT_EQ(b_ns, whole.b_ns);
  EXPECT_EQ(delta_ns, whole.b_ns - whole.a_ns);
}

TEST(CompareTest, FiguresOfBothSides) {
  const Comparison c = CompareAB();
  struct Case {
    const char* key;
    std::optional<int64_t> a;
    std::optional<int64_t> b;
  };
  const Case cases[] = {
      {"wall_ns", 10'000 * traces::kTestMs, 10'500 * traces::kTestMs},
      {"host_cpu_ns", 1000, {}},  // B has no samples
      {"client_cpu_ns", 23, {}},  // the daemon's 15, the wrapper's 8
      {"worker_cpu_ns", 1200, 4200},
      {"units_ns", 6400 * traces::kTestMs, 8705 * traces::kTestMs},
      {"compiles", 5, 5},
      {"remote", 1, 1},
      {"local", 4, 4},
      {"invocations", 1, 1},
  };
  for (const Case& expected : cases) {
    const FigureDifference& figure = FigureOf(c, expected.key);
    EXPECT_EQ(figure.a, expected.a) << expected.key;
    EXPECT_EQ(figure.b, expected.b) << expected.key;
  }
  EXPECT_EQ(FigureOf(c, "wall_ns").verdict, Verdict::kUnknown);
  EXPECT_EQ(FigureOf(c, "compiles").verdict, Verdict::kSame);
}

TEST(CompareTest, PhasesSumToTheDifference) {
  const Comparison c = CompareAB();
  ExpectSumsExactly(c.work);
  EXPECT_EQ(c.work.a_ns, 6400 * traces::kTestMs);
  EXPECT_EQ(c.work.b_ns, 8705 * traces::kTestMs);
  struct Case {
    const char* path;
    int64_t a_ms;
    int64_t b_ms;
  };
  const Case cases[] = {
      {"llamacc>invoke>exec", 1500, 6000},
      {"llamacc>local", 2000, 1000},
      {"llamacc", 1400, 705},  // links, gone.o and new.o: nothing ran below them
      {"llamacc>invoke", 1000, 500},
      {"llamacc>send", 500, 500},
  };
  ASSERT_EQ(c.work.parts.size(), std::size(cases));
  for (size_t i = 0; i < std::size(cases); ++i) {  // the largest difference first
    EXPECT_EQ(c.work.parts[i].name, cases[i].path);
    EXPECT_EQ(c.work.parts[i].a_ns, cases[i].a_ms * traces::kTestMs) << cases[i].path;
    EXPECT_EQ(c.work.parts[i].b_ns, cases[i].b_ms * traces::kTestMs) << cases[i].path;
  }
}

TEST(CompareTest, BoundsSumToTheWallClock) {
  const Comparison c = CompareAB();
  ExpectSumsExactly(c.wall);
  EXPECT_EQ(c.wall.a_ns, 10'000 * traces::kTestMs);
  EXPECT_EQ(c.wall.b_ns, 10'500 * traces::kTestMs);
}

TEST(CompareTest, UnitsAreJoinedByOutputAndInput) {
  const UnitsDifference units = CompareAB().units;
  struct Case {
    const char* name;
    uint32_t ordinal;
    UnitChange change;
    std::optional<int64_t> a_ms;
    std::optional<int64_t> b_ms;
    const char* mostly;
  };
  const Case cases[] = {
      {"a.o ← a.c", 0, UnitChange::kRegressed, 3000, 7000, "exec"},
      {"b.o ← b.c", 0, UnitChange::kImproved, 2000, 1000, "local"},
      {"gone.o", 0, UnitChange::kGone, 1000, {}, "llamacc"},
      {"new.o", 0, UnitChange::kNew, {}, 300, "llamacc"},
      {"(link)", 1, UnitChange::kUnchanged, 300, 305, "llamacc"},  // less than 10 ms
      {"(link)", 0, UnitChange::kUnchanged, 100, 100, "llamacc"},
  };
  ASSERT_EQ(units.all.size(), std::size(cases));
  for (size_t i = 0; i < std::size(cases); ++i) {
    const UnitDifference& unit = units.all[i];
    EXPECT_EQ(unit.name, cases[i].name);
    EXPECT_EQ(unit.ordinal, cases[i].ordinal) << unit.name;
    EXPECT_EQ(unit.change, cases[i].change) << unit.name;
    EXPECT_EQ(unit.mostly, cases[i].mostly) << unit.name;
    EXPECT_EQ(unit.a_ns.has_value(), cases[i].a_ms.has_value()) << unit.name;
    EXPECT_EQ(unit.a_ns.value_or(0), cases[i].a_ms.value_or(0) * traces::kTestMs) << unit.name;
    EXPECT_EQ(unit.b_ns.value_or(0), cases[i].b_ms.value_or(0) * traces::kTestMs) << unit.name;
  }
  // 7000 − 3000 + 1000 − 2000 + 300 − 1000 + 5 = 8705 − 6400.
  EXPECT_EQ(units.total_delta_ns, 2305 * traces::kTestMs);
  int64_t sum_ns = 0;
  for (const int64_t delta_ns : units.delta_ns) sum_ns += delta_ns;
  EXPECT_EQ(sum_ns, units.total_delta_ns);
  EXPECT_EQ(units.counts[static_cast<size_t>(UnitChange::kUnchanged)], 2u);
}

// The factors' logarithms are −0.105, −0.083, −0.051, −0.020, 0, 0.020, 0.049, 0.077 and 0.693; the
// middle is 0, and that of the distances from it 0.0513 = −ln 0.95. 3 · 1.4826 times that is 0.228.
TEST(CompareTest, WhatUnitsUsuallyDifferByIsNoChange) {
  const int64_t durations[] = {900, 920, 950, 980, 1000, 1020, 1050, 1080, 2000};
  std::string a;
  std::string b;
  for (int i = 0; i < 9; ++i) {
    const std::string name = R"("object":")" + std::to_string(durations[i]) + "\"";
    a += traces::SpanText(i + 1, 1, 0, "llamacc", 0, 1000, name);
    b += traces::SpanText(i + 1, 1, 0, "llamacc", 0, durations[i], name);
  }
  const UnitsDifference units = Compare({Profile(a, "a")}, {Profile(b, "b")}).units;
  EXPECT_NEAR(units.threshold, std::exp(3 * 1.4826 * -std::log(0.95)), 1e-9);
  EXPECT_EQ(units.all[0].name, "2000");
  EXPECT_EQ(units.all[0].change, UnitChange::kRegressed);
  EXPECT_EQ(units.counts[static_cast<size_t>(UnitChange::kUnchanged)], 8u);
}

// Units of 1,000 ms, and what became of them.
std::string UnitsOf(const std::vector<int64_t>& durations_ms) {
  std::string text;
  for (size_t i = 0; i < durations_ms.size(); ++i) {
    text += traces::SpanText(static_cast<int>(i) + 1, 1, 0, "llamacc", 0, durations_ms[i],
                             R"("object":"u)" + std::to_string(i) + "\"");
  }
  return text;
}

size_t CountOf(const Side& a, const Side& b, UnitChange change) {
  return Compare(a, b).units.counts[static_cast<size_t>(change)];
}

// The factors go from 2 to 3.3: their spread of 1.2 and more is of the change, not of noise.
TEST(CompareTest, UnitsThatAllBecameFasterAreNotUnchanged) {
  const Side a = {Profile(UnitsOf(std::vector<int64_t>(11, 1000)), "a")};
  const Side b = {Profile(UnitsOf({300, 310, 330, 340, 350, 380, 410, 440, 470, 490, 500}), "b")};
  EXPECT_EQ(CountOf(a, b, UnitChange::kImproved), 11u);
  EXPECT_EQ(CountOf(b, a, UnitChange::kRegressed), 11u);
  // One that went the other way by 1.05 says that so much is noise.
  const Side mixed = {
      Profile(UnitsOf({300, 310, 330, 340, 350, 380, 410, 440, 470, 1050, 950}), "b")};
  EXPECT_EQ(CountOf(a, mixed, UnitChange::kImproved), 9u);
  EXPECT_EQ(CountOf(a, mixed, UnitChange::kUnchanged), 2u);
}

// Builds of a side differ by 1.2 from one to the next: 3 · 1.4826 · ln 1.2 is a factor of 2.25.
TEST(CompareTest, RepeatedBuildsSayWhatNoiseIs) {
  const auto side = [](int64_t first_ms, int64_t second_ms) {
    return Side{Profile(UnitsOf({first_ms, first_ms}), "x"),
                Profile(UnitsOf({second_ms, second_ms}), "y")};
  };
  const Side a = side(1000, 1200);
  EXPECT_NEAR(Compare(a, side(2000, 2400)).units.threshold, std::exp(3 * 1.4826 * std::log(1.2)),
              1e-9);
  EXPECT_EQ(CountOf(a, side(2000, 2400), UnitChange::kUnchanged), 2u);
  EXPECT_EQ(CountOf(a, side(3000, 3600), UnitChange::kRegressed), 2u);
  EXPECT_EQ(CountOf(side(1000, 1001), side(2000, 2002), UnitChange::kRegressed), 2u);
}

TEST(CompareTest, DistributionsSideBySide) {
  const Comparison c = CompareAB();
  ASSERT_FALSE(c.distributions.empty());
  const Distribution& unit = c.distributions[0];
  EXPECT_EQ(unit.name, "unit");
  EXPECT_EQ(unit.a.count, 5u);
  EXPECT_EQ(unit.a.p50_ns, 1000 * traces::kTestMs);  // of 100, 300, 1000, 2000, 3000
  EXPECT_EQ(unit.a.p99_ns, 3000 * traces::kTestMs);
  EXPECT_EQ(unit.b.p50_ns, 305 * traces::kTestMs);  // of 100, 300, 305, 1000, 7000
  EXPECT_EQ(unit.b.p95_ns, 7000 * traces::kTestMs);
  // Below 0.2, 0.5, 1, 2, 5 and 10 s.
  EXPECT_EQ(unit.bounds_ns, (std::vector<int64_t>{200'000'000, 500'000'000, 1'000'000'000,
                                                  2'000'000'000, 5'000'000'000, 10'000'000'000}));
  EXPECT_EQ(unit.a.histogram, (std::vector<uint64_t>{1, 1, 0, 1, 2, 0}));
  EXPECT_EQ(unit.b.histogram, (std::vector<uint64_t>{1, 2, 0, 1, 0, 1}));
}

TEST(CompareTest, ConfigurationsWhereTheyDiffer) {
  const Comparison c = CompareAB();
  std::vector<std::string> texts;
  for (const ConfigurationDifference& difference : c.configuration) {
    std::string text = difference.name + ":";
    for (const std::string& value : difference.a) text += " " + value;
    text += " |";
    for (const std::string& value : difference.b) text += " " + value;
    texts.push_back(text);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "command: make -j2 | make -j4", "cwd: /x | /y", "jobs: 2 | 4",
                       "compiler: /usr/bin/gcc | /usr/bin/clang", "tags.branch: main |"}));
}

// Of builds whose wall times are given, in ms.
Side Group(const std::vector<int64_t>& walls_ms) {
  Side side;
  for (const int64_t wall_ms : walls_ms) {
    side.push_back(Profile(
        traces::SpanText(1, 1, 0, "build", 0, wall_ms) +
            traces::SpanText(2, 1, 0, "llamacc", 0, wall_ms, R"("object":"a.o")") +
            traces::SpanText(2, 2, 1, "send", 0, 1) + traces::SpanText(2, 3, 1, "exec", 1, 1),
        "x"));
  }
  return side;
}

TEST(CompareTest, SeveralBuildsTellNoiseFromChange) {
  struct Case {
    std::vector<int64_t> a;
    std::vector<int64_t> b;
    Verdict verdict;
  };
  const Case cases[] = {
      {{100, 101, 102, 103}, {200, 201, 202, 203}, Verdict::kMore},
      {{200, 201, 202, 203}, {100, 101, 102, 103}, Verdict::kLess},
      {{100, 110, 120, 130}, {105, 115, 125, 135}, Verdict::kNoise},
      {{100, 101, 102}, {200, 201, 202}, Verdict::kTooFew},
      {{100}, {200, 201, 202, 203, 204}, Verdict::kUnknown},
      {{100, 100}, {100, 100}, Verdict::kSame},
  };
  for (const Case& c : cases) {
    const Comparison comparison = Compare(Group(c.a), Group(c.b));
    EXPECT_EQ(comparison.figures[0].verdict, c.verdict);
    std::vector<int64_t> walls_ns;
    for (const int64_t wall_ms : c.a) walls_ns.push_back(wall_ms * traces::kTestMs);
    EXPECT_EQ(comparison.figures[0].a, Median(walls_ns));
  }
}

// 100 + 101 + 103 = 304 ms in three builds: 101.333… ms. `send` and `exec` have 1 ms each; the
// rest is the root's own, and the parts add up whatever is rounded.
TEST(CompareTest, MeansOfSeveralBuildsSumExactly) {
  const Comparison c = Compare(Group({100, 101, 103}), Group({100, 100, 101}));
  ExpectSumsExactly(c.work);
  ExpectSumsExactly(c.wall);
  EXPECT_EQ(c.work.a_ns, 101'333'333);
  EXPECT_EQ(c.work.b_ns, 100'333'333);
  EXPECT_EQ(c.wall.a_ns, 101'333'333);
}

TEST(CompareTest, TextSaysWhatCanBeKnown) {
  const std::string one = FormatComparison(CompareAB(), {false, 200});
  EXPECT_NE(one.find("One build on a side: whether that is more than noise can't be known.\n"),
            std::string::npos)
      << one;
  EXPECT_NE(one.find("  regressed      1   +4.00 s\n"), std::string::npos) << one;
  EXPECT_NE(one.find("  6.40 s  8.71 s  +2.31 s   +36.0 %  in all\n"), std::string::npos) << one;
  const std::string noise =
      FormatComparison(Compare(Group({100, 110, 120, 130}), Group({105, 115, 125, 135})), {});
  EXPECT_NE(noise.find("within the noise"), std::string::npos);
  const std::string slower =
      FormatComparison(Compare(Group({100, 101, 102, 103}), Group({200, 201, 202, 203})), {});
  EXPECT_NE(
      slower.find("\nB is 2.0x slower: 102 ms to 202 ms; most of it in slots, 102 ms to 202 ms "
                  "(p = 0.0286).\n"),
      std::string::npos)
      << slower;
  EXPECT_NE(slower.find("+100 ms, 95 % interval +97.0 ms to +103 ms"), std::string::npos) << slower;
}

// How they were built explains most differences, so it comes before them.
TEST(CompareTest, WhatWasConfiguredDifferentlyComesFirst) {
  const auto build = [](int64_t wall_ms, const std::string& flags) {
    return Profile(
        traces::SpanText(1, 1, 0, "build", 0, wall_ms, R"("status":0)") +
            traces::SpanText(2, 1, 0, "llamacc", 0, wall_ms,
                             R"("object":"a.o","source":"a.c","flags":")" + flags + "\""),
        flags);
  };
  const std::string text = FormatComparison(Compare({build(900, "-O3")}, {build(500, "-O0")}), {});
  const size_t configuration = text.find("what was different\n  flag -O3");
  const size_t verdict = text.find("B is 1.8x faster: 900 ms to 500 ms");
  ASSERT_NE(configuration, std::string::npos) << text;
  ASSERT_NE(verdict, std::string::npos) << text;
  EXPECT_LT(configuration, verdict);
  EXPECT_LT(verdict, text.find("\nfigures\n"));
}

TEST(CompareTest, ASideThatFailedOrWasInterruptedIsSaidFirst) {
  const BuildProfile fine =
      Profile(traces::SpanText(1, 1, 0, "build", 0, 900, R"("status":0)"), "x");
  const BuildProfile failed = Profile(
      traces::SpanText(1, 1, 0, "build", 0, 500,
                       R"("status":2,"diagnostic":"a.c:3:1: error: no","failed_target":"a.o")"),
      "y");
  const BuildProfile interrupted = Profile(
      traces::SpanText(1, 1, 0, "build", 0, 400, R"("status":130,"interrupted":true)"), "z");
  const Comparison c = Compare({fine}, {failed});
  const std::string text = FormatComparison(c, {});
  const size_t outcome = text.find("\nB FAILED a.c:3 no; making a.o\n");
  ASSERT_NE(outcome, std::string::npos) << text;
  EXPECT_LT(outcome, text.find("what was different"));
  EXPECT_NE(text.find("\nNot all of these are whole builds. B is 1.8x faster"), std::string::npos);
  EXPECT_NE(FormatComparisonJson(c).find(R"("outcome":"FAILED a.c:3 no; making a.o")"),
            std::string::npos);
  const std::string several = FormatComparison(Compare({interrupted, fine}, {fine}), {});
  EXPECT_NE(several.find("\nA (z) interrupted after 400 ms\n"), std::string::npos) << several;
  EXPECT_EQ(FormatComparison(Compare({fine}, {fine}), {}).find("are whole builds"),
            std::string::npos);
}

TEST(CompareTest, FitsIntoATerminal) {
  std::string text = traces::SpanText(1, 1, 0, "build", 0, 900,
                                      R"("command":"make )" + std::string(200, 'x') + "\"");
  for (int i = 2; i < 9; ++i) {
    text += traces::SpanText(i, 1, 0, "llamacc", 0, i * 100,
                             R"("object":"some/long/folder/of/objects/file.o","source":")" +
                                 std::string("some/long/folder/of/sources/in/a/tree/file") + "\"") +
            traces::SpanText(i, 2, 1, "invoke", 0, i * 90);
  }
  const Comparison c = Compare({Profile(text, "a")}, {Profile("", "b")});
  for (const size_t columns : {60u, 80u, 200u}) {
    const std::string shown = FormatComparison(c, {false, columns});
    size_t begin = 0;
    for (size_t end = 0; (end = shown.find('\n', begin)) != std::string::npos; begin = end + 1) {
      EXPECT_LE(DisplayWidth(shown.substr(begin, end - begin)), columns)
          << shown.substr(begin, end - begin);
    }
    // But for the series of the distributions' heading nothing is cut.
    EXPECT_EQ(shown.find("…"), shown.rfind("…")) << shown;
  }
}

TEST(CompareTest, HostileNamesAndNumbersAreHarmless) {
  const std::string text =
      traces::SpanText(1, 1, 0, "llamacc", 0, 31'622'400'000, R"("object":"a\u001b[2J.o")") +
      traces::SpanText(2, 1, 0, "llamacc", 0, 31'622'400'000, R"("object":"a\u001b[2J.o")") +
      traces::SpanText(2, 2, 1, "invoke", 0, 1,
                       R"("user_ns":9223372036854775807,"system_ns":9e15)");
  const Comparison c = Compare({Profile(text, "\x1b[1m")}, {Profile("", "b")});
  EXPECT_EQ(FormatComparison(c, {}).find('\x1b'), std::string::npos);
  EXPECT_FALSE(FormatComparisonJson(c).empty());
}

}  // namespace
}  // namespace llama::analysis
