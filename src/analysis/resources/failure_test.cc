#include "analysis/resources/failure.h"

#include <gtest/gtest.h>

#include "analysis/units/testing.h"

namespace llama::analysis {
namespace {

std::string TextIn(const std::string& text) {
  const auto failure = FindFailure(traces::LoadText(text));
  return failure ? FailureText(*failure, 2) : "";
}

std::string FailedUnit(int unit, int64_t begin_ms, int64_t end_ms, const std::string& name,
                       const std::string& diagnostic) {
  return RemoteText(unit, begin_ms, end_ms, name,
                    R"("status":1,"cwd":"/w/sub","diagnostic":")" + diagnostic + "\"");
}

constexpr const char* kFailed = R"("cwd":"/w","status":2)";

TEST(FailureTest, IsTheFirstErrorThatTheOutputShowed) {
  EXPECT_EQ(
      TextIn(BuildText(100, R"("cwd":"/w","status":2,"failed_target":"null.o","steps_left":13,)"
                            R"("diagnostic":"/w/null.cpp:11:5: error: expected ')'\n  11 |")") +
             FailedUnit(1, 0, 10, "probe", "conftest.c:1:1: error: no")),
      "FAILED null.cpp:11 expected ')'; making null.o; 13 steps not run");
}

TEST(FailureTest, IsTheCompilesOwnWhereNobodySawTheOutput) {
  // The probe failed, and others were begun after it; the second that failed ended the build.
  EXPECT_EQ(TextIn(BuildText(100, kFailed) + FailedUnit(1, 0, 10, "probe", "p.c:1:1: error: no") +
                   RemoteText(2, 20, 30, "fine") +
                   FailedUnit(3, 30, 50, "a", "a.c:3:1: error: unknown type") +
                   FailedUnit(4, 31, 60, "b", "b.c:4:1: error: another")),
            "FAILED sub/a.c:3 unknown type; making a.o");
  // It went on after all of them, as with -k.
  EXPECT_EQ(TextIn(BuildText(100, kFailed) + FailedUnit(1, 0, 10, "a", "a.c:1:1: error: no") +
                   RemoteText(2, 20, 30, "fine")),
            "FAILED sub/a.c:1 no; making a.o");
}

TEST(FailureTest, IsOfTheUnitWithTheSameError) {
  const auto failure = FindFailure(
      traces::LoadText(BuildText(100, R"("cwd":"/w","status":2,"diagnostic":"b.c:4:1: error: x")") +
                       FailedUnit(1, 0, 10, "a", "a.c:1:1: error: no") +
                       FailedUnit(2, 1, 11, "b", "b.c:4:1: error: x")));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->unit, "sub/b.c");
  EXPECT_EQ(failure->target, "b.o");
  EXPECT_EQ(failure->place, "sub/b.c:4");
}

TEST(FailureTest, SaysWhatIsKnown) {
  EXPECT_EQ(TextIn(BuildText(100, kFailed)), "FAILED with exit status 2");
  EXPECT_EQ(TextIn(BuildText(100, R"("status":2,"failed_target":"all",)"
                                  R"("diagnostic":"/bin/sh: 1: foo: not found")")),
            "FAILED /bin/sh: 1: foo: not found; making all");
  EXPECT_EQ(TextIn(BuildText(
                100, R"("status":2,"diagnostic":"make: *** No rule to make target 'a'.  Stop.")")),
            "FAILED No rule to make target 'a'");
  EXPECT_EQ(TextIn(BuildText(100, R"("status":1,"diagnostic":"CMake Error at CMakeLists.txt:3 )"
                                  R"((message):\n  no such thing\n")")),
            "FAILED CMakeLists.txt:3 no such thing");
  EXPECT_EQ(FailureText({}, 137), "FAILED by signal 9");
  // What a hostile trace says is shown, not obeyed.
  EXPECT_EQ(TextIn(BuildText(100, R"("status":2,"diagnostic":"a\u001b[2J: error: b\u0007")")),
            "FAILED a?[2J b?");
}

TEST(FailureTest, IsNoneOfABuildThatWentWellOrWasInterrupted) {
  const std::string unit = FailedUnit(1, 0, 10, "probe", "p.c:1:1: error: no");
  EXPECT_EQ(TextIn(BuildText(100, R"("status":0)") + unit), "");
  EXPECT_EQ(TextIn(BuildText(100, R"("status":130,"interrupted":true)") + unit), "");
  EXPECT_EQ(TextIn(unit), "");
}

}  // namespace
}  // namespace llama::analysis
