#include "report/compile_flags.h"

#include <gtest/gtest.h>

#include "report/loader.h"
#include "report/report_testing.h"

namespace llama::report {
namespace {

using Flags = std::vector<std::pair<std::string, std::string>>;

TEST(CompileFlagsTest, TellsWhatAllHaveFromWhatSomeHave) {
  const Columns trace = LoadText(
      SpanText(1, 1, 0, "llamacc", 0, 1, R"("flags":"-O2 -g -O2")") +
      SpanText(2, 1, 0, "llamacc", 0, 1, R"("flags":"-g  -O2")") +
      SpanText(3, 1, 0, "llamacc", 0, 1, R"("flags":"-O0 -g")") +
      SpanText(4, 1, 0, "llamacc", 0, 1, R"("reason":"link")") +  // not recorded: no matter
      SpanText(5, 1, 0, "llamacc", 0, 1, R"("flags":7)") +
      SpanText(6, 1, 0, "build", 0, 1, R"("flags":"-x")"));
  EXPECT_EQ(CompileFlags(trace), (Flags{{"flag -O0", "some compiles"},
                                        {"flag -O2", "some compiles"},
                                        {"flag -g", "all compiles"}}));
}

TEST(CompileFlagsTest, CountsACompileWithoutFlags) {
  const Columns trace = LoadText(SpanText(1, 1, 0, "llamacc", 0, 1, R"("flags":"-O2")") +
                                 SpanText(2, 1, 0, "llamacc", 0, 1, R"("flags":"")"));
  EXPECT_EQ(CompileFlags(trace), (Flags{{"flag -O2", "some compiles"}}));
}

}  // namespace
}  // namespace llama::report
