// The report as a whole: its sections, its width, and what it says of lines that are none. The
// figures are tested where they are made.
#include <gtest/gtest.h>

#include "report/report.h"
#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::report {
namespace {

std::string ManyUnits(int count) {
  std::string text = traces::SpanText(
      9999, 1, 0, "build", 0, 100'000,
      R"("global.build_id":"b","command":"make -j8)" + std::string(200, 'x') + "\"");
  for (int i = 1; i <= count; ++i) {
    const std::string source = std::string(150, 'd') + "/" + std::to_string(i) + ".c";
    text += traces::SpanText(i, 1, 0, "llamacc", i * 10, 500,
                             R"("remote":true,"source":")" + source + R"(","object":"o")");
    text +=
        traces::SpanText(i, 2, 1, "invoke", i * 10 + 5, 490,
                         R"("worker_id":"w)" + std::to_string(i % 20) + R"(","memory_mb":1769)");
    text += traces::SpanText(i, 3, 2, "exec", i * 10 + 10, 400);
  }
  return text;
}

std::string TextOf(const traces::Columns& trace, const std::vector<Section>& sections = {},
                   size_t columns = kTextColumns) {
  return FormatReport(trace, MakeReport(trace), {false, columns}, sections);
}

// One unit that all wait for, with a long name, and local runs whose reason is an option.
std::string LongNames(const std::string& part) {
  std::string name;
  for (int i = 0; i < 100; ++i) name += part;
  std::string text = traces::SpanText(9999, 1, 0, "build", 0, 10'000, R"("command":"make -j2")") +
                     traces::SpanText(1, 1, 0, "llamacc", 0, 6000,
                                      R"("remote":false,"reason":"unknown-option:-)" + name +
                                          R"(","source":")" + name + ".c\"");
  for (int i = 2; i < 12; ++i) {
    text += traces::SpanText(i, 1, 0, "llamacc", 6000 + i * 10, 500,
                             R"("remote":true,"source":")" + name + std::to_string(i) + ".c\"");
  }
  return text;
}

void ExpectNoWideLine(const std::string& text, size_t columns) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    EXPECT_LE(DisplayWidth(line), columns) << line;
    begin = end + 1;
  }
}

TEST(ReportTest, NoLineIsWiderThanATerminal) {
  for (const size_t columns : {kLeastColumns, size_t{60}, size_t{80}, kTextColumns, size_t{200}}) {
    ExpectNoWideLine(TextOf(traces::LoadText(ManyUnits(300)), {}, columns), columns);
    for (const char* part : {"directory/", "word", "ディレクトリ/", "two words "}) {
      const std::string text = TextOf(traces::LoadText(LongNames(part)), {}, columns);
      EXPECT_NE(text.find("critical path: "), std::string::npos) << text;
      EXPECT_NE(text.find("→ docs/trace_format.md explains"), std::string::npos) << text;
      ExpectNoWideLine(text, columns);
    }
  }
}

// Of a table the columns that matter least are left out, and named; texts go on below.
TEST(ReportTest, ANarrowTerminalLosesNoMeaning) {
  const traces::Columns trace = traces::LoadText(ManyUnits(3));
  const std::string narrow = TextOf(trace, {Section::kByPhase, Section::kSlowest}, 60);
  EXPECT_NE(narrow.find("(a wider terminal shows: "), std::string::npos) << narrow;
  EXPECT_EQ(narrow.find("…"), narrow.find("…\n\n")) << narrow;  // but for the command
  EXPECT_NE(narrow.find("/1.c\n"), std::string::npos) << narrow;
  EXPECT_EQ(TextOf(trace, {Section::kByPhase}, 200).find("wider terminal"), std::string::npos);
}

// The end of a path is what tells it from others.
TEST(ReportTest, LongPathsKeepTheirEnds) {
  const traces::Columns trace = traces::LoadText(LongNames("directory/"));
  const std::string end = "directory/directory/.c\n";
  const std::string path = TextOf(trace, {Section::kPath});
  EXPECT_NE(path.find("local   …"), std::string::npos) << path;
  EXPECT_NE(path.find(end), std::string::npos) << path;
  EXPECT_NE(TextOf(trace, {Section::kWeighted}).find(end), std::string::npos);
}

TEST(ReportTest, SectionsComeInTheOrderAsked) {
  const traces::Columns trace = traces::LoadText(ManyUnits(3));
  const std::string text = TextOf(trace, *ParseSections("use,phases"));
  const size_t use = text.find("\nresources\n");
  const size_t phases = text.find("\ntime by phase\n");
  ASSERT_NE(use, std::string::npos) << text;
  ASSERT_NE(phases, std::string::npos) << text;
  EXPECT_LT(use, phases);
  EXPECT_EQ(text.find("\nworkers\n"), std::string::npos);
  const std::string all = TextOf(trace);
  EXPECT_LT(all.find("\noverview\n"), all.find("\ntime by phase\n"));
  EXPECT_LT(all.find("\ntime by phase\n"), all.find("\nresources\n"));
}

TEST(ReportTest, SectionsThatAreNoneAreNamed) {
  EXPECT_EQ(*ParseSections("use,cost"), (std::vector<Section>{Section::kUse, Section::kCost}));
  for (const char* wrong : {"", "x", "use,", "use, cost"}) {
    const auto sections = ParseSections(wrong);
    ASSERT_FALSE(sections) << wrong;
    EXPECT_NE(sections.error().message.find("there are findings bounds"), std::string::npos);
  }
}

TEST(ReportTest, SaysWhatCouldNotBeRead) {
  const traces::Columns fine = traces::LoadText(traces::SpanText(1, 1, 0, "llamacc", 0, 1));
  EXPECT_EQ(TextOf(fine).find("what was read"), std::string::npos);
  EXPECT_NE(TextOf(fine, {Section::kReading}).find("what was read\n  1 span from "),
            std::string::npos);
  // A line that is none, a span that comes twice, and one whose parent is missing.
  const traces::Columns broken = traces::LoadText(
      "nonsense\x1b[2J\n" + traces::SpanText(1, 1, 0, "llamacc", 0, 1) +
      traces::SpanText(1, 1, 0, "llamacc", 0, 1) + traces::SpanText(1, 3, 77, "send", 0, 1));
  const std::string text = TextOf(broken);
  EXPECT_NE(text.find("1 line is no span; 1 span came twice; 1 span's parent is missing"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  const std::string json = FormatReportJson(broken, MakeReport(broken));
  EXPECT_NE(json.find(R"("lines":4,"malformed":1,"too_long":0,"duplicates":1,)"), std::string::npos)
      << json;
}

TEST(ReportTest, TheShortOneSaysHowToGoOn) {
  const traces::Columns trace = traces::LoadText(ManyUnits(3));
  const std::string text = FormatShort(MakeReport(trace), {});
  EXPECT_NE(text.find("wall time"), std::string::npos);
  EXPECT_NE(text.find("\nMore: llama report b\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("time by phase"), std::string::npos);
}

TEST(ReportTest, AFailureIsTheFirstOfTheReportAndTheLastOfTheShortOne) {
  const traces::Columns trace = traces::LoadText(
      traces::SpanText(9, 1, 0, "build", 0, 100,
                       R"("global.build_id":"b","command":"make","status":2,"failed_target":"a.o",)"
                       R"("diagnostic":"a.c:3:5: error: expected ')'\n    3 | f(;\n      |   ^")") +
      traces::SpanText(1, 1, 0, "llamacc", 0, 90, R"("remote":true,"status":1,"source":"a.c")"));
  const Report report = MakeReport(trace);
  const std::string text = FormatReport(trace, report, {});
  EXPECT_TRUE(
      text.starts_with("build b: make\n"
                       "FAILED a.c:3 expected ')'; making a.o\n"
                       "      3 | f(;\n"
                       "        |   ^\n"))
      << text;
  const std::string brief = FormatShort(report, {});
  EXPECT_TRUE(
      brief.ends_with("\n\nFAILED a.c:3 expected ')'; making a.o\n"
                      "More: llama report b\n"))
      << brief;
  // What was slow is not what one asks of it.
  EXPECT_EQ(brief.find("findings"), std::string::npos) << brief;
  const std::string json = FormatReportJson(trace, report);
  EXPECT_NE(json.find(R"("failure":{"place":"a.c:3","message":"expected ')'","target":"a.o",)"),
            std::string::npos)
      << json;
}

TEST(ReportTest, ABuildThatHadNothingToDoSaysSoInOneLine) {
  const traces::Columns trace = traces::LoadText(
      traces::SpanText(9, 1, 0, "build", 0, 12,
                       R"("global.build_id":"b","command":"ninja","status":0,"up_to_date":true)"));
  const Report report = MakeReport(trace);
  EXPECT_EQ(FormatShort(report, {}), "nothing to do: all was up to date (12.0 ms)\n");
  EXPECT_EQ(FormatReport(trace, report, {}),
            "build b: ninja\nnothing to do: all was up to date (12.0 ms)\n");
}

TEST(ReportTest, NamesTheCompilerThatRanWithoutLlama) {
  const traces::Columns trace = traces::LoadText(
      traces::SpanText(9, 1, 0, "build", 0, 9000,
                       R"("command":"ninja","status":0,"unseen_compiler":"/usr/bin/c++")"));
  const std::string text = TextOf(trace, {Section::kFindings}, 1000);
  EXPECT_NE(text.find("since the build called /usr/bin/c++ by"), std::string::npos) << text;
  EXPECT_NE(text.find("-DCMAKE_CXX_COMPILER_LAUNCHER=llamacc"), std::string::npos) << text;
}

TEST(ReportTest, TwentyThousandNamesTakeNoQuadraticTime) {
  std::string lines;
  for (int i = 1; i <= 20'000; ++i) {
    lines += traces::SpanText(1, i, i > 1 ? 1 : 0, "n" + std::to_string(i), 0, 1);
  }
  const traces::Columns trace = traces::LoadText(lines);
  const std::string text = TextOf(trace, {Section::kByPhase});
  EXPECT_NE(text.find("and 19,940 more names"), std::string::npos)
      << text.substr(text.size() - 300);
}

TEST(ReportTest, NothingIsFineToo) {
  const traces::Columns nothing = traces::LoadText("");
  EXPECT_FALSE(TextOf(nothing).empty());
  EXPECT_EQ(FormatReportJson(nothing, MakeReport(nothing)).front(), '{');
}

}  // namespace
}  // namespace llama::report
