#include "builds/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "trace/trace_file.h"

namespace llama::builds {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class BuildStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create();
    ASSERT_TRUE(dir);
    temp_.emplace(*std::move(dir));
  }
  const std::string& state() const { return temp_->path(); }
  std::string DirOf(const std::string& id) const { return BuildDir(state(), id); }

  void Make(const std::string& id, int64_t start_s, std::optional<int64_t> status = 0,
            std::vector<std::pair<std::string, std::string>> tags = {}) {
    BuildRecord record;
    record.id = id;
    record.name = "name-" + id;
    record.start_ns = start_s * kSecond;
    record.status = status;
    record.tags = std::move(tags);
    ASSERT_TRUE(MakeDirs(DirOf(id)));
    ASSERT_TRUE(WriteBuildRecord(DirOf(id), record));
  }
  std::vector<StoredBuild> List() {
    auto builds = ListStoredBuilds(state());
    return builds ? *std::move(builds) : std::vector<StoredBuild>();
  }
  std::string Ids(const std::vector<StoredBuild>& builds) {
    std::string ids;
    for (const StoredBuild& build : builds) ids += build.record.id;
    return ids;
  }

  std::optional<TempDir> temp_;
};

TEST_F(BuildStoreTest, ListsWithSizeAndStatus) {
  Make("b", 2, 1);
  Make("a", 1);
  Make("c", 3, std::nullopt);
  ASSERT_TRUE(WriteFileAtomic(DirOf("a") + "/trace.columns", std::string(1000, 'x'), 0600));
  const auto builds = List();
  EXPECT_EQ(Ids(builds), "abc");
  EXPECT_GT(builds[0].size_bytes, 1000);
  EXPECT_LT(builds[1].size_bytes, 1000);
  EXPECT_EQ(StatusWord(builds[0]), "ok");
  EXPECT_EQ(StatusWord(builds[1]), "failed");
  EXPECT_EQ(StatusWord(builds[2]), "unfinished");
}

TEST_F(BuildStoreTest, FiltersByAllThatIsGiven) {
  Make("a", 10, 0, {{"branch", "main"}, {"cc", "gcc"}});
  Make("b", 20, 1, {{"branch", "main"}});
  Make("c", 30, 0, {{"branch", "x"}});
  struct Case {
    BuildFilter filter;
    const char* ids;
  };
  const Case cases[] = {
      {{}, "abc"},
      {{"name-?", {}, "", {}}, "abc"},
      {{"*-b", {}, "", {}}, "b"},
      {{"name", {}, "", {}}, ""},
      {{"", {{"branch", "main"}}, "", {}}, "ab"},
      {{"", {{"branch", "main"}, {"cc", "gcc"}}, "", {}}, "a"},
      {{"", {}, "failed", {}}, "b"},
      {{"", {}, "", 20 * kSecond}, "bc"},
  };
  for (const Case& c : cases) {
    std::vector<StoredBuild> builds = List();
    std::erase_if(builds, [&](const auto& build) { return !Matches(build, c.filter); });
    EXPECT_EQ(Ids(builds), c.ids);
  }
}

TEST(PruneRuleTest, TakesTheOldest) {
  std::vector<StoredBuild> builds(5);
  for (size_t i = 0; i < builds.size(); ++i) {
    builds[i].record.id = std::string(1, static_cast<char>('a' + i));
    builds[i].start_ns = static_cast<int64_t>(i) * 10;
    builds[i].size_bytes = 100;
  }
  builds[1].running = true;
  struct Case {
    PruneRule rule;
    bool force;
    const char* ids;
  };
  const Case cases[] = {
      {{}, false, ""},
      {{20, {}, {}}, false, "a"},  // b runs; c began at 20, not before
      {{20, {}, {}}, true, "ab"},
      {{{}, 2, {}}, false, "ac"},
      {{{}, 0, {}}, false, "acde"},
      {{{}, {}, 250}, false, "ac"},  // d and e fit
      {{{}, {}, 500}, false, ""},
      {{5, 3, {}}, false, "a"},
      {{5, 3, 250}, false, "ac"},
  };
  for (const Case& c : cases) {
    std::string ids;
    for (const auto& build : PickForPruning(builds, c.rule, c.force)) ids += build.record.id;
    EXPECT_EQ(ids, c.ids);
  }
}

TEST_F(BuildStoreTest, RemovesOneAndNoOther) {
  Make("a", 1);
  Make("b", 2);
  ASSERT_TRUE(MakeDirs(DirOf("a") + "/deep/er"));
  ASSERT_TRUE(RemoveBuild(state(), "a", false));
  EXPECT_EQ(Ids(List()), "b");
  EXPECT_EQ(ListDir(BuildsDir(state()))->size(), 1u);
  EXPECT_FALSE(RemoveBuild(state(), "a", false));
}

TEST_F(BuildStoreTest, OneThatRecordsStaysUnlessForced) {
  Make("a", 1, std::nullopt);
  Make("b", 2, std::nullopt);
  {
    const Fd held = HoldBuild(DirOf("a"));
    const auto writer = trace::TraceWriter::Open(TracePath(DirOf("b")));
    ASSERT_TRUE(writer);
    for (const char* id : {"a", "b"}) {
      const auto removed = RemoveBuild(state(), id, false);
      ASSERT_FALSE(removed) << id;
      EXPECT_EQ(removed.error().code, Code::kUnavailable);
    }
    EXPECT_TRUE(List()[0].running);
    EXPECT_EQ(StatusWord(List()[1]), "running");
  }
  EXPECT_FALSE(IsHeld(DirOf("a")));  // whoever held it has ended
  EXPECT_TRUE(RemoveBuild(state(), "a", false));
  const Fd held = HoldBuild(DirOf("b"));
  EXPECT_TRUE(RemoveBuild(state(), "b", true));
  EXPECT_EQ(Ids(List()), "");
}

TEST_F(BuildStoreTest, LinksDoNotLeadOutside) {
  const std::string outside = state() + "/outside";
  ASSERT_TRUE(MakeDirs(outside));
  ASSERT_TRUE(WriteFileAtomic(outside + "/precious", "x", 0600));
  Make("a", 1);
  ASSERT_EQ(symlink(outside.c_str(), (DirOf("a") + "/link").c_str()), 0);
  ASSERT_EQ(symlink(outside.c_str(), DirOf("link").c_str()), 0);
  ASSERT_EQ(mkfifo(TracePath(DirOf("a")).c_str(), 0600), 0);  // opening it must not wait
  EXPECT_TRUE(RemoveBuild(state(), "a", false));
  EXPECT_TRUE(RemoveBuild(state(), "link", false));
  EXPECT_TRUE(ReadFile(outside + "/precious"));
}

TEST_F(BuildStoreTest, OnlyNamesOfFoldersOfBuilds) {
  ASSERT_TRUE(MakeDirs(BuildsDir(state())));
  ASSERT_TRUE(WriteFileAtomic(state() + "/config", "x", 0600));
  for (const char* id : {"", ".", "..", "../config", "../..", ".hidden", "a/b", "/etc"}) {
    EXPECT_FALSE(RemoveBuild(state(), id, true)) << id;
  }
  EXPECT_TRUE(ReadFile(state() + "/config"));
}

TEST_F(BuildStoreTest, WhatAnInterruptedRemovalLeftIsNoBuildAndGoes) {
  Make(".removed-1234", 1);
  Make("a", 2);
  EXPECT_EQ(Ids(List()), "a");
  ASSERT_TRUE(RemoveBuild(state(), "a", false));
  EXPECT_TRUE(ListDir(BuildsDir(state()))->empty());
}

TEST(ParseTest, AgesAndSizes) {
  struct Case {
    const char* text;
    int64_t value;  // −1: wrong
  };
  const Case ages[] = {{"90s", 90 * kSecond},
                       {"15m", 900 * kSecond},
                       {"12h", 43'200 * kSecond},
                       {"30d", 2'592'000 * kSecond},
                       {"2w", 1'209'600 * kSecond},
                       {"0d", 0},
                       {"1.5h", 5400 * kSecond},
                       {"", -1},
                       {"30", -1},
                       {"d", -1},
                       {"-1d", -1},
                       {"1d2h", -1},
                       {"1e30d", -1},
                       {"nand", -1}};
  for (const Case& c : ages)
    EXPECT_EQ(ParseAge(c.text) ? *ParseAge(c.text) : -1, c.value) << c.text;
  const Case sizes[] = {{"500", 500},   {"20kB", 20'000}, {"1.5GB", 1'500'000'000},
                        {"2KiB", 2048}, {"0", 0},         {"GB", -1},
                        {"1XB", -1},    {"inf", -1},      {"99999999999TB", -1}};
  for (const Case& c : sizes) {
    EXPECT_EQ(ParseSize(c.text) ? *ParseSize(c.text) : -1, c.value) << c.text;
  }
}

}  // namespace
}  // namespace llama::builds
