#include "analysis/units/remote_runs.h"

#include <gtest/gtest.h>

#include "analysis/resources/summary.h"
#include "analysis/units/units.h"
#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::analysis {
namespace {

TEST(RemoteRuns, AreThoseThatSayOrShowIt) {
  struct Case {
    const char* fields;  // of the compile
    const char* below;   // a span two levels below it
    std::optional<bool> remote;
  };
  const std::vector<Case> cases = {
      {R"("remote":true)", "worker", true},
      {R"("remote":false)", "worker", false},
      {R"("remote":false)", "runtime.Execute", false},
      {"", "worker", std::nullopt},  // ours, and its wrapper went away
      {"", "runtime.Execute", true},
      {"", "Invoke", true},
      {"", "InvokeWithFiles", true},
      {"", "preprocess", std::nullopt},
      {R"("remote":null)", "Invoke", false},
  };
  std::string text;
  for (int i = 0; i < static_cast<int>(cases.size()); ++i) {
    const Case& c = cases[static_cast<size_t>(i)];
    text += traces::SpanText(i + 1, 1, 0, "llamacc", i, 9, c.fields) +
            traces::SpanText(i + 1, 2, 1, "x", i, 8) + traces::SpanText(i + 1, 3, 2, c.below, i, 7);
  }
  const traces::Columns trace = traces::LoadText(text);
  const RemoteRuns remote(trace);
  const auto compiles = trace.rows_named("llamacc");
  ASSERT_EQ(compiles.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(remote.Known(compiles[i]), cases[i].remote) << i;
    EXPECT_EQ(remote.At(compiles[i]), cases[i].remote.value_or(false)) << i;
  }
  // Whoever counts them counts the same.
  const Summary summary = Summarise(trace);
  EXPECT_EQ(summary.remote, 4);
  EXPECT_EQ(summary.local, 5);
  int units = 0;
  for (const Unit& unit : FindUnits(trace).all) units += unit.remote ? 1 : 0;
  EXPECT_EQ(units, 4);
}

// An invocation within a compile below another one marks both: each had it done by a function.
TEST(RemoteRuns, AreFoundInTreesOfAnyShape) {
  const traces::Columns trace = traces::LoadText(
      traces::SpanText(1, 1, 2, "llamacc", 0, 9) + traces::SpanText(1, 2, 1, "Invoke", 0, 9) +
      traces::SpanText(2, 1, 7, "Invoke", 0, 9) + traces::SpanText(3, 1, 0, "llamacc", 0, 9) +
      traces::SpanText(3, 2, 1, "llamacc", 0, 9) + traces::SpanText(3, 3, 2, "Invoke", 0, 9) +
      traces::SpanText(3, 4, 1, "Invoke", 0, 9));
  const RemoteRuns remote(trace);
  int count = 0;
  for (const traces::Row row : trace.rows_named("llamacc")) count += remote.At(row) ? 1 : 0;
  EXPECT_EQ(count, 3);
}

}  // namespace
}  // namespace llama::analysis
