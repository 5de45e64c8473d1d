#include "llama/build/output_watch.h"

#include <gtest/gtest.h>

#include "diagnostics/tool_errors.h"

namespace llama::app {
namespace {

OutputWatch Watched(std::string_view out, std::string_view err) {
  OutputWatch watch;
  watch.Add(OutputWatch::Stream::kOut, out);
  watch.Add(OutputWatch::Stream::kErr, err);
  watch.End();
  return watch;
}

TEST(OutputWatchTest, FindsTheFirstErrorUnderMake) {
  const OutputWatch watch = Watched("cc -c a.c\ncc -c b.c\n",
                                    "a.c:1:1: warning: unused\n"
                                    "b.c:2:5: error: expected ';'\n"
                                    "    2 | x\n"
                                    "make: *** [Makefile:7: b.o] Error 1\n"
                                    "make: *** Waiting for unfinished jobs....\n"
                                    "c.c:9:1: error: another\n"
                                    "make: *** [Makefile:7: c.o] Error 1\n");
  EXPECT_EQ(watch.Diagnostic(), "b.c:2:5: error: expected ';'\n    2 | x");
  EXPECT_EQ(watch.failed_target(), "b.o");
}

// Commands that run at once write at once, and some write of errors and succeed.
TEST(OutputWatchTest, AnErrorInTheTargetsSourceComesBeforeOthers) {
  constexpr std::string_view kProbe = "conftest.c:3:1: error: unknown type name 'x'\n";
  constexpr std::string_view kBroken =
      "In file included from x.h:1,\n                 from b.c:2:\n"
      "y.h:7:1: error: expected ';'\ny.h:9:1: error: and more\nb.c:3:1: error: of the same\n";
  for (const char* target : {"b.o", "CMakeFiles/p.dir/src/b.c.o", "prog-b.o"}) {
    const std::string failure = std::string("make: *** [Makefile:7: ") + target + "] Error 1\n";
    EXPECT_TRUE(Watched("", std::string(kProbe).append(kBroken).append(failure))
                    .Diagnostic()
                    .starts_with("y.h:7:1: error: expected ';'"))
        << target;
  }
  EXPECT_TRUE(Watched("", std::string(kProbe).append(kBroken).append("make: *** [all] Error 1\n"))
                  .Diagnostic()
                  .starts_with("conftest.c:3:1"));
}

TEST(OutputWatchTest, AnIgnoredErrorIsNone) {
  const OutputWatch watch = Watched("",
                                    "a.c:2:5: error: ignored\n"
                                    "make: [Makefile:2: a] Error 1 (ignored)\n"
                                    "b.c:2:5: error: counts\n"
                                    "make: *** [Makefile:3: b] Error 1\n");
  EXPECT_EQ(watch.Diagnostic(), "b.c:2:5: error: counts");
}

// ninja shows a command and its output behind the failure, others' before and after it.
TEST(OutputWatchTest, FindsTheFirstErrorUnderNinja) {
  const OutputWatch watch = Watched(
      "[1/9] a test\nx.c:1: error: one that is expected by a test\n"
      "[2/9] CXX b.o\nFAILED: b.o \nc++ -DX=\"y: error: z\" -c b.cpp\n"
      "In file included from b.cpp:1:\nb.h:3:1: fatal error: no.h: No such file or directory\n"
      "[3/9] CXX c.o\nninja: build stopped: subcommand failed.\n",
      "");
  EXPECT_EQ(watch.Diagnostic(), "b.h:3:1: fatal error: no.h: No such file or directory");
  EXPECT_EQ(watch.failed_target(), "b.o");
}

TEST(OutputWatchTest, WhereNoErrorIsRecognisedTheCommandOrItsLastWordsAre) {
  EXPECT_EQ(Watched("[1/2] GEN\nFAILED: gen.h \npython3 gen.py\nninja: build stopped: x.\n", "")
                .Diagnostic(),
            "python3 gen.py");
  EXPECT_EQ(Watched("FAILED: gen.h \npython3 gen.py\nTraceback:\n  gen.py:3\nValueError: no\n"
                    "[2/9] CC a.o\nninja: build stopped: x.\n",
                    "")
                .Diagnostic(),
            "ValueError: no");
  EXPECT_EQ(Watched("foo\n", "/bin/sh: 1: foo: not found\nmake: *** [Makefile:2: all] Error 127\n")
                .Diagnostic(),
            "/bin/sh: 1: foo: not found");
  EXPECT_EQ(Watched("",
                    "make: Entering directory '/w'\nmake: ./tool: No such file or directory\n"
                    "make: *** [Makefile:2: all] Error 127\nmake: Leaving directory '/w'\n")
                .Diagnostic(),
            "make: ./tool: No such file or directory");
  const std::string rule = "make: *** No rule to make target 'b.c', needed by 'b.o'.  Stop.";
  EXPECT_EQ(Watched("", rule + "\n").Diagnostic(), rule);
}

TEST(OutputWatchTest, ReadsLinesHoweverTheyCome) {
  OutputWatch watch;
  const std::string text = "\x1b[1mb.c:2:5: \x1b[31merror:\x1b[m no\r\nmake: *** [b.o] Error 1\n";
  for (const char c : text) watch.Add(OutputWatch::Stream::kErr, std::string_view(&c, 1));
  EXPECT_EQ(watch.Diagnostic(), "b.c:2:5: error: no");
  EXPECT_EQ(watch.failed_target(), "b.o");
  // A line of many megabytes is kept in part.
  OutputWatch wide;
  for (int i = 0; i < 1000; ++i) wide.Add(OutputWatch::Stream::kOut, std::string(10'000, 'x'));
  wide.Add(OutputWatch::Stream::kOut, "\na.c:1: error: e");
  wide.End();
  EXPECT_EQ(wide.Diagnostic(), "a.c:1: error: e");
}

TEST(OutputWatchTest, HearsThatNothingWasToBeDone) {
  EXPECT_TRUE(Watched("ninja: no work to do.\n", "").says_up_to_date());
  EXPECT_TRUE(Watched("make: Nothing to be done for 'all'.\n", "").says_up_to_date());
  EXPECT_TRUE(Watched("-- Configuring done\nninja: no work to do.\n", "").says_up_to_date());
  EXPECT_FALSE(Watched("cc -c a.c\n", "").says_up_to_date());
  // A make within a make says so of itself alone.
  const std::string part =
      "make  all-recursive\nmake[1]: Entering directory '/w'\nMaking all in lib\n"
      "make[2]: Nothing to be done for 'all'.\nmake[1]: Leaving directory '/w'\n";
  EXPECT_TRUE(Watched(part, "").says_up_to_date());
  EXPECT_FALSE(Watched(part + "/usr/bin/cc -c a.c\n", "").says_up_to_date());
  EXPECT_FALSE(Watched(part + "make -C lib; ./run\n", "").says_up_to_date());
  EXPECT_FALSE(Watched(part + "[ 50%] Building C object a.c.o\n", "").says_up_to_date());
}

}  // namespace
}  // namespace llama::app
