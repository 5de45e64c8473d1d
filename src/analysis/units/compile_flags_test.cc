#include "analysis/units/compile_flags.h"

#include <gtest/gtest.h>

#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::analysis {
namespace {

using Flags = std::vector<std::pair<std::string, std::string>>;

TEST(CompileFlagsTest, TellsWhatAllHaveFromWhatSomeHave) {
  const traces::Columns trace = traces::LoadText(
      traces::SpanText(1, 1, 0, "llamacc", 0, 1, R"("flags":"-O2 -g -O2")") +
      traces::SpanText(2, 1, 0, "llamacc", 0, 1, R"("flags":"-g  -O2")") +
      traces::SpanText(3, 1, 0, "llamacc", 0, 1, R"("flags":"-O0 -g")") +
      traces::SpanText(4, 1, 0, "llamacc", 0, 1, R"("reason":"link")") +  // not recorded: no matter
      traces::SpanText(5, 1, 0, "llamacc", 0, 1, R"("flags":7)") +
      traces::SpanText(6, 1, 0, "build", 0, 1, R"("flags":"-x")"));
  EXPECT_EQ(CompileFlags(trace), (Flags{{"flag -O0", "some compiles"},
                                        {"flag -O2", "some compiles"},
                                        {"flag -g", "all compiles"}}));
}

TEST(CompileFlagsTest, CountsACompileWithoutFlags) {
  const traces::Columns trace =
      traces::LoadText(traces::SpanText(1, 1, 0, "llamacc", 0, 1, R"("flags":"-O2")") +
                       traces::SpanText(2, 1, 0, "llamacc", 0, 1, R"("flags":"")"));
  EXPECT_EQ(CompileFlags(trace), (Flags{{"flag -O2", "some compiles"}}));
}

}  // namespace
}  // namespace llama::analysis
