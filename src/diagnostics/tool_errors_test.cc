#include "diagnostics/tool_errors.h"

#include <gtest/gtest.h>

namespace llama::diagnostics {
namespace {

TEST(ToolErrorsTest, FindsPlaceAndMessage) {
  struct Case {
    const char* line;
    const char* place;
    const char* message;
  };
  const Case cases[] = {
      // gcc and clang
      {"null.cpp:11:5: error: expected ')' before ';' token", "null.cpp:11",
       "expected ')' before ';' token"},
      {"../a b/x.c:3:10: fatal error: no.h: No such file or directory", "../a b/x.c:3",
       "no.h: No such file or directory"},
      {"x.c:7: error: unterminated #if", "x.c:7", "unterminated #if"},
      {"cc1plus: error: unrecognized command-line option '-fno'", "cc1plus",
       "unrecognized command-line option '-fno'"},
      {"gcc: fatal error: cannot execute 'cc1': No such file or directory", "gcc",
       "cannot execute 'cc1': No such file or directory"},
      // assembler
      {"a.s:2: Error: no such instruction: `foo %eax'", "a.s:2", "no such instruction: `foo %eax'"},
      // linkers
      {"/usr/bin/ld: main.c:(.text+0x9): undefined reference to `foo'", "main.c",
       "undefined reference to `foo'"},
      {"main.c:(.text+0x9): undefined reference to `foo'", "main.c",
       "undefined reference to `foo'"},
      {"/usr/bin/ld: /w/main.c:4: undefined reference to `foo'", "/w/main.c:4",
       "undefined reference to `foo'"},
      {"/usr/bin/ld: b.o:(.bss+0x0): multiple definition of `x'; a.o:(.bss+0x0): first defined "
       "here",
       "b.o", "multiple definition of `x'; a.o:(.bss+0x0): first defined here"},
      {"/usr/bin/ld: cannot find -lfoo: No such file or directory", "/usr/bin/ld",
       "cannot find -lfoo: No such file or directory"},
      {"ld.lld: error: undefined symbol: foo()", "ld.lld", "undefined symbol: foo()"},
      {"collect2: error: ld returned 1 exit status", "collect2", "ld returned 1 exit status"},
      // build tools
      {"ninja: error: 'b.c', needed by 'b.o', missing and no known rule to make it", "ninja",
       "'b.c', needed by 'b.o', missing and no known rule to make it"},
      {"CMake Error at CMakeLists.txt:3 (add_executable):", "CMakeLists.txt:3",
       "CMake Error (add_executable):"},
      {"error: no such thing", "", "no such thing"},
  };
  for (const Case& c : cases) {
    const auto error = ParseToolError(c.line);
    ASSERT_TRUE(error) << c.line;
    EXPECT_EQ(error->place, c.place) << c.line;
    EXPECT_EQ(error->message, c.message) << c.line;
  }
}

TEST(ToolErrorsTest, TakesNoOtherLineForAnError) {
  for (const char* line : {
           "",
           "a.c:3:1: warning: unused variable 'x'",
           "a.c: In function 'main':",
           "checking for the error: no",
           "gcc -DMESSAGE=\"an error: none\" -c a.c",
           "/usr/bin/ld: main.o: in function `main':",
           "/usr/bin/ld: warning: x.o: missing .note.GNU-stack section",
           "/usr/bin/ld: DWARF error: could not find abbrev number 7",
           "make: *** [Makefile:2: a.o] Error 1",
           "{standard input}: Assembler messages:",
           "[3/9] Building CXX object error.o",
       }) {
    EXPECT_FALSE(ParseToolError(line)) << line;
  }
}

TEST(ToolErrorsTest, NamesWhatCouldNotBeMade) {
  EXPECT_EQ(ParseFailedTarget("make: *** [Makefile:2: a.o] Error 1"), "a.o");
  EXPECT_EQ(ParseFailedTarget("gmake[2]: *** [sub/x.mk:17: out/b] Error 127"), "out/b");
  EXPECT_EQ(ParseFailedTarget("make[1]: *** [a.o] Segmentation fault"), "a.o");
  EXPECT_EQ(ParseFailedTarget("FAILED: CMakeFiles/a.dir/a.c.o "), "CMakeFiles/a.dir/a.c.o");
  EXPECT_EQ(ParseFailedTarget("FAILED: [code=1] a.o"), "a.o");
  EXPECT_FALSE(ParseFailedTarget("make: [Makefile:2: a.o] Error 1 (ignored)"));
  EXPECT_FALSE(ParseFailedTarget("make: Leaving directory '/w'"));

  EXPECT_EQ(ParseMakeError("make: *** No rule to make target 'b.c', needed by 'b.o'.  Stop."),
            "No rule to make target 'b.c', needed by 'b.o'");
  EXPECT_FALSE(ParseMakeError("make: *** Waiting for unfinished jobs...."));
  EXPECT_FALSE(ParseMakeError("make: *** [Makefile:2: a.o] Error 1"));
}

TEST(ToolErrorsTest, KnowsThatNothingWasToBeDone) {
  EXPECT_TRUE(SaysUpToDate("ninja: no work to do."));
  EXPECT_TRUE(SaysUpToDate("make: Nothing to be done for 'all'."));
  EXPECT_TRUE(SaysUpToDate("make[1]: 'a' is up to date."));
  EXPECT_FALSE(SaysUpToDate("my tool: 'a' is up to date."));
  EXPECT_FALSE(SaysUpToDate("make: Entering directory '/w'"));
}

TEST(ToolErrorsTest, KnowsProgress) {
  for (const char* line : {"[3/9] CXX a.o", "ninja: build stopped: subcommand failed.",
                           "make[1]: Entering directory '/w'", "make: *** [Makefile:2: a] Error 1",
                           "make: [Makefile:2: a] Error 1 (ignored)", "make: 'a' is up to date."}) {
    EXPECT_TRUE(IsProgress(line)) << line;
  }
  EXPECT_FALSE(IsProgress("make: ./tool: No such file or directory"));
  EXPECT_FALSE(IsProgress("makefile: a file"));
}

TEST(ToolErrorsTest, TakesOffWhatATerminalWouldObey) {
  EXPECT_EQ(WithoutEscapes("\x1b[01m\x1b[Ka.c:1:\x1b[m\x1b[K \x1b[01;31merror: \x1b[mx\r"),
            "a.c:1: error: x");
  EXPECT_EQ(WithoutEscapes("\x1b]8;;http://x\aa\x1b]8;;\x1b\\b"), "ab");
  EXPECT_EQ(WithoutEscapes("a\x1b["), "a");
  EXPECT_EQ(WithoutEscapes("a\x1b"), "a");
}

TEST(ToolErrorsTest, CutsTheExcerptFromTheFirstErrorOn) {
  EXPECT_EQ(ErrorExcerpt("a.c:1:1: warning: w\na.c:2:1: \x1b[31merror: \x1b[me\n  2 | x\n"),
            "a.c:2:1: error: e\n  2 | x");
  EXPECT_EQ(ErrorExcerpt("Killed\n"), "Killed");
  EXPECT_EQ(ErrorExcerpt(""), "");
  std::string lines = "a.c:2:1: error: e\n";
  for (int i = 0; i < 100; ++i) lines += "more\n";
  EXPECT_EQ(ErrorExcerpt(lines), "a.c:2:1: error: e\nmore\nmore\nmore\nmore\nmore\nmore\nmore");
  // In whole characters.
  std::string wide = "a: error: ";
  for (int i = 0; i < 2000; ++i) wide += "µ";
  const std::string excerpt = ErrorExcerpt(wide);
  EXPECT_LE(excerpt.size(), kMaxExcerptBytes);
  EXPECT_TRUE(excerpt.ends_with("µ"));
}

}  // namespace
}  // namespace llama::diagnostics
