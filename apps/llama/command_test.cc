#include "llama/command.h"

#include <gtest/gtest.h>

#include <array>

namespace llama::app {
namespace {

constexpr std::array<Option, 3> kOptions = {{{"--name", true}, {"--json"}, {"--tag", true}}};

TEST(PrintErrorTest, PassesNothingOnThatATerminalWouldObey) {
  testing::internal::CaptureStderr();
  PrintError("s3 says \x1b[2Jgone\nso do this");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "llama: s3 says ?[2Jgone\nso do this\n");
}

TEST(ArgumentsTest, OptionsStandAnywhereUntilTheCommandBegins) {
  struct Case {
    Arguments arguments;
    bool stop_at_first;
    std::string name;
    bool json;
    std::vector<std::string> rest;
  };
  const Case cases[] = {
      {{}, false, "", false, {}},
      {{"--json", "x", "--name", "n"}, false, "n", true, {"x"}},
      {{"--name=n=1", "--", "--json"}, false, "n=1", false, {"--json"}},
      {{"--name", "-", "make", "--json"}, true, "-", false, {"make", "--json"}},
      {{"--name", "a", "--name", "b", "--", "--", "x"}, true, "b", false, {"--", "x"}},
      {{"-"}, false, "", false, {"-"}},
      {{"--name="}, false, "", false, {}},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseArguments(c.arguments, kOptions, c.stop_at_first);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->Value("--name"), c.name);
    EXPECT_EQ(parsed->Has("--json"), c.json);
    EXPECT_EQ(parsed->rest, c.rest);
  }
}

TEST(ArgumentsTest, SaysWhatIsWrong) {
  struct Case {
    Arguments arguments;
    const char* message;
  };
  const Case cases[] = {
      {{"--jsno"}, "unknown option --jsno; did you mean --json?"},
      {{"--frobnicate"}, "unknown option --frobnicate"},
      {{"-x"}, "unknown option -x"},
      {{"--json=1"}, "--json takes no value"},
      {{"--name"}, "--name needs a value"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseArguments(c.arguments, kOptions);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().message, c.message);
    EXPECT_EQ(parsed.error().code, Code::kInvalid);
  }
}

TEST(ClosestTest, SuggestsWhatIsNear) {
  const std::array<std::string_view, 4> known = {"build", "builds", "report", "daemon"};
  EXPECT_EQ(Closest("biuld", known), "build");
  EXPECT_EQ(Closest("rep", known), "report");
  EXPECT_EQ(Closest("deamon", known), "daemon");
  EXPECT_EQ(Closest("xyzzy", known), "");
}

}  // namespace
}  // namespace llama::app
