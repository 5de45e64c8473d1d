// A file with three builds, of which a report is of one.
#include "traces/load/one_build.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "builds/record.h"
#include "report/report.h"
#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::traces {
namespace {

std::string Id(const std::string& id) { return R"("global.build_id":")" + id + "\""; }

// A build of 10 s with a remote compile of 4 s: its worker began a second into it.
std::string OneOf(const std::string& id, int trace, int64_t begin_ms) {
  return SpanText(trace, 1, 0, "build", begin_ms, 10'000, Id(id)) +
         SpanText(trace + 1, 1, 0, "llamacc", begin_ms + 1000, 4000,
                  Id(id) + R"(,"remote":true,"source":")" + id + ".c\"") +
         SpanText(trace + 1, 2, 1, "invoke", begin_ms + 1000, 4000, R"("worker_id":"w")") +
         SpanText(trace + 1, 3, 2, "worker", begin_ms + 2000, 2000, R"("of":")" + id + "\"");
}

// "early" comes last in the file; spans of no build are later than all.
std::string Three() {
  return OneOf("late1", 10, 20'000) + SpanText(99, 1, 0, "stray", 90'000, 1) +
         OneOf("latest", 20, 40'000) + OneOf("early", 30, 0);
}

Columns Load(const std::string& build, bool one_build = true) {
  return LoadText(Three(), {.one_build = one_build, .build = build});
}

TEST(OneBuild, IsTheLastThatBegan) {
  const Columns trace = Load("");
  ASSERT_EQ(trace.builds().size(), 1u);
  EXPECT_EQ(trace.text(trace.builds()[0].id), "latest");
  EXPECT_EQ(trace.size(), 4u);
  EXPECT_EQ(trace.report().other_builds, 2u);
  EXPECT_EQ(trace.traces().size(), 2u);
}

TEST(OneBuild, IsTheOneThatIsAskedFor) {
  for (const char* ask : {"early", "e"}) {
    const Columns trace = Load(ask);
    ASSERT_EQ(trace.size(), 4u) << ask;
    EXPECT_EQ(trace.text(trace.builds()[0].id), "early");
  }
  EXPECT_EQ(Load("late").size(), 0u) << "two begin so";
  EXPECT_EQ(Load("never").size(), 0u);
}

// The file's name is no second build beside the one that its spans name.
TEST(OneBuild, HasTheSpansThatNameNoneIfItIsTheOnlyOne) {
  const Columns trace =
      LoadText(SpanText(1, 1, 0, "build", 0, 9, Id("b")) + SpanText(2, 1, 0, "llamacc", 0, 1),
               {.one_build = true});
  EXPECT_EQ(trace.size(), 2u);
  EXPECT_EQ(trace.report().other_builds, 0u);
  EXPECT_EQ(report::MakeReport(trace).summary.compiles, 1u);
}

TEST(OneBuild, OfSpansThatNameNoneIsAllThereIs) {
  const Columns trace = LoadText(SpanText(1, 1, 0, "llamacc", 0, 1), {.one_build = true});
  EXPECT_EQ(trace.size(), 1u);
  EXPECT_EQ(trace.report().other_builds, 0u);
}

// Trees, fields and clocks are those of the build that is left.
TEST(OneBuild, KeepsItsTreesFieldsAndClocks) {
  const Columns trace = Load("late1");
  const Row worker = trace.rows_named("worker")[0];
  EXPECT_EQ(trace.PathText(trace.path()[worker]), "llamacc>invoke>worker");
  EXPECT_EQ(trace.self_ns()[trace.parent()[worker]], 2000 * kTestMs);
  EXPECT_EQ(trace.text(*trace.field("of").StringAt(worker)), "late1");
  EXPECT_EQ(trace.field_values(*trace.FindField("of")), 1u);
  EXPECT_EQ(trace.roots().size(), 2u);
  EXPECT_EQ(trace.rows_of_trace(trace.trace()[worker]).size(), 3u);
  EXPECT_EQ(trace.raw_start_ns(worker), kTestStartNs + 22'000 * kTestMs);
  ASSERT_EQ(trace.worker_clocks().size(), 1u);
  EXPECT_EQ(trace.worker_clocks()[0].build, 0u);
}

// What counted all three: 12 s of calls in a wall time of 10 s would be 1.2 in flight.
TEST(OneBuild, IsAllThatAReportCounts) {
  const Columns trace = Load("");
  const report::Report report = report::MakeReport(trace);
  EXPECT_EQ(report.summary.build_id, "latest");
  EXPECT_EQ(report.summary.compiles, 1u);
  EXPECT_EQ(report.summary.wall_ns, 10'000 * kTestMs);
  EXPECT_DOUBLE_EQ(report.summary.mean_in_flight, 0.4);
  EXPECT_EQ(report.summary.slowest.size(), 1u);
  EXPECT_EQ(report.workers.all.size(), 1u);
  EXPECT_EQ(report.workers.all[0].jobs, 1u);
  const std::string text = report::FormatReport(trace, report, {});
  EXPECT_NE(text.find("one of 3 builds in its trace: --build ID shows another"), std::string::npos)
      << text;
  EXPECT_NE(report::FormatReportJson(trace, report).find(R"("other_builds":2,)"),
            std::string::npos);
  const Columns all = Load("", false);
  EXPECT_EQ(all.builds().size(), 4u) << "SQL and exports have all of them";
}

// In a build's folder its own is meant, to which spans belong that name none; also where the trace
// comes from its columnar file.
TEST(OneBuild, OfAFolderIsTheFoldersOwn) {
  auto dir = TempDir::Create();
  ASSERT_TRUE(dir);
  const std::string folder = dir->path() + "/late1";
  ASSERT_TRUE(MakeDirs(folder, 0700));
  // Large enough to have a columnar file.
  std::string text = Three();
  for (int i = 1; i <= 3000; ++i) text += SpanText(1000 + i, 1, 0, "machine", i, 1, Id("early"));
  ASSERT_TRUE(WriteFileAtomic(builds::TracePath(folder), text, 0600));
  const std::vector<std::string> dirs = {folder};
  for (const uint64_t cached : {0u, 1u}) {
    for (const auto& [ask, rows] : {std::pair("", 5u), std::pair("early", 3004u)}) {
      const auto trace = LoadBuilds(dirs, {.one_build = true, .build = ask});
      ASSERT_TRUE(trace);
      EXPECT_EQ(trace->size(), rows);
      EXPECT_EQ(trace->rows_named("worker").size(), 1u);
      EXPECT_EQ(trace->report().other_builds, 2u);
      if (cached == 1) {
        EXPECT_EQ(trace->report().cached_files, 1u);
      }
    }
  }
  const auto none = LoadBuilds(dirs, {.one_build = true, .build = "x\x1b"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_EQ(none.error().message, "no build 'x?' in the trace; it has late1 latest early");
}

}  // namespace
}  // namespace llama::traces
