#include "daemon/record/builds.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <optional>

#include "base/file.h"

namespace llama::daemon {
namespace {

class BuildsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create("builds-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    builds_ = std::make_unique<Builds>(dir_->path(), clock_);
  }
  std::vector<std::string> Lines(const std::string& id) const {
    std::vector<std::string> lines;
    const std::string path = JoinPath(JoinPath(dir_->path(), id), "trace.ndjson.zst");
    EXPECT_TRUE(trace::ReadTraceLines(path, [&](std::string_view l) { lines.emplace_back(l); }));
    return lines;
  }

  std::optional<TempDir> dir_;
  FakeClock clock_;
  std::unique_ptr<Builds> builds_;
};

TEST_F(BuildsTest, IdsThatCouldLeaveTheFolderAreNotUsed) {
  for (const char* bad : {"", "..", ".", ".hidden", "a/b", "a b", "x\n"}) {
    EXPECT_FALSE(IsValidBuildId(bad)) << bad;
    EXPECT_TRUE(IsValidBuildId(builds_->Resolve(bad)));
  }
  EXPECT_EQ(builds_->Resolve("20260101-120000-ab"), "20260101-120000-ab");
  EXPECT_FALSE(builds_->Begin({"../x", "", 0, {}}));
}

TEST_F(BuildsTest, SpansGoToTheirBuildsTrace) {
  const trace::Span span = trace::StartSpan("llamacc", {}, clock_.NowNs());
  builds_->Record("one", {span, span});
  builds_->Record("two", {span});
  builds_->Flush();
  EXPECT_EQ(Lines("one").size(), 2u);
  EXPECT_EQ(Lines("two").size(), 1u);
}

TEST_F(BuildsTest, ABuildWhoseProcessIsGoneEnds) {
  session::BeginBuild begin{"b", "name", clock_.NowNs(), {}};
  begin.span = trace::StartSpan("build", {}, begin.start_ns);
  begin.span.Set("jobs", 7);
  begin.root = begin.span.context();
  ASSERT_TRUE(builds_->Begin(begin));
  clock_.AdvanceNs(5'000'000'000);
  ASSERT_TRUE(builds_->Abandon("b", clock_.NowNs() - 2'000'000'000));
  EXPECT_TRUE(builds_->ActiveBuilds().empty());
  const std::vector<std::string> lines = Lines("b");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find(trace::Hex(begin.root.span_id)), std::string::npos);
  EXPECT_NE(lines[0].find("\"duration\":3000000000"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("\"jobs\":7,\"interrupted\":true"), std::string::npos) << lines[0];
  // It ends once, and only if it was one.
  ASSERT_TRUE(builds_->Abandon("b", clock_.NowNs()));
  ASSERT_TRUE(builds_->Abandon("none", clock_.NowNs()));
  EXPECT_EQ(Lines("b").size(), 1u);
}

TEST_F(BuildsTest, WhatComesAfterAFolderWasRemovedHasANewTrace) {
  const trace::Span span = trace::StartSpan("llamacc", {}, clock_.NowNs());
  builds_->Record("one", {span});
  builds_->Flush();
  ASSERT_TRUE(RemoveTree(dir_->path() + "/one"));
  builds_->Flush();
  builds_->Record("one", {span, span});
  builds_->Flush();
  EXPECT_EQ(Lines("one").size(), 2u);
}

// A file size limit stands for the full disk.
TEST_F(BuildsTest, TheRootSaysHowManySpansWereLost) {
  const trace::Span root = trace::StartSpan("build", {}, clock_.NowNs());
  ASSERT_TRUE(builds_->Begin({"b", "name", 0, root.context()}));
  trace::Span large = trace::StartSpan("llamacc", {}, clock_.NowNs());
  large.Set("source", std::string(1u << 20, '\x01'));  // 6 MiB in JSON
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{0, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  for (int i = 0; i < 16; ++i) builds_->Record("b", {large});
  builds_->Flush();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, old_handler);
  builds_->Flush();
  ASSERT_TRUE(builds_->End({"b", root}));
  EXPECT_NE(Lines("b").back().find("\"spans_lost\":"), std::string::npos);
}

TEST_F(BuildsTest, EndWritesTheRootAtOnceAndLateSpansStillArrive) {
  const trace::Span root = trace::StartSpan("build", {}, clock_.NowNs());
  ASSERT_TRUE(builds_->Begin({"b", "name", 0, root.context()}));
  EXPECT_EQ(builds_->RootOf("b"), root.context());
  ASSERT_TRUE(builds_->End({"b", root}));
  EXPECT_EQ(Lines("b").size(), 1u);
  builds_->Record("b", {trace::StartSpan("llamacc", {}, clock_.NowNs())});
  builds_->Flush();
  EXPECT_EQ(Lines("b").size(), 2u);
}

TEST_F(BuildsTest, ABuildIsActiveFromItsBeginToItsEnd) {
  EXPECT_TRUE(builds_->ActiveBuilds().empty());
  const trace::Span root = trace::StartSpan("build", {}, clock_.NowNs());
  ASSERT_TRUE(builds_->Begin({"b", "name", 7, root.context()}));
  builds_->Count("b", [](session::Counters& c) { c.retries = 3; });
  builds_->Count("other", [](session::Counters& c) { c.retries = 4; });
  const auto active = builds_->ActiveBuilds();
  ASSERT_EQ(active.size(), 1u);
  EXPECT_EQ(active[0].id, "b");
  EXPECT_EQ(active[0].root, root.context());
  EXPECT_EQ(active[0].start_ns, 7);
  EXPECT_EQ(active[0].counters.retries, 3u);
  ASSERT_TRUE(builds_->End({"b", root}));
  EXPECT_TRUE(builds_->ActiveBuilds().empty());
}

TEST_F(BuildsTest, CountsForTheBuildAndForTheWhole) {
  builds_->Count("a", [](session::Counters& c) { c.remote_done += 2; });
  builds_->Count("b", [](session::Counters& c) { c.remote_done += 3; });
  EXPECT_EQ(builds_->CountersOf("a").remote_done, 2u);
  EXPECT_EQ(builds_->CountersOf("").remote_done, 5u);
  EXPECT_EQ(builds_->CountersOf("never").remote_done, 0u);
}

}  // namespace
}  // namespace llama::daemon
