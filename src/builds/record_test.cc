#include "builds/record.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <optional>

#include "base/file.h"

namespace llama::builds {
namespace {

TEST(BuildIdTest, IsLocalTimeAndRandomDigits) {
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_EQ(NewBuildId(1'795'335'650'000'000'000, 0xabcd3f9a), "20261122-082050-3f9a");
  EXPECT_EQ(NewBuildId(0, 0), "19700101-000000-0000");
}

TEST(ShellCommandTest, QuotesWhatAShellWouldChange) {
  struct Case {
    std::vector<std::string> command;
    const char* text;
  };
  const Case cases[] = {
      {{"make", "-j8", "CC=llamacc"}, "make -j8 CC=llamacc"},
      {{"sh", "-c", "a b"}, "sh -c 'a b'"},
      {{"echo", "it's", ""}, "echo 'it'\\''s' ''"},
      {{"x", "$y", "*"}, "x '$y' '*'"},
  };
  for (const Case& c : cases) EXPECT_EQ(ShellCommand(c.command), c.text);
}

BuildRecord Sample(std::string id, std::string name, int64_t start_ns) {
  BuildRecord record;
  record.id = std::move(id);
  record.name = std::move(name);
  record.tags = {{"branch", "main"}, {"quote", "\"\n"}};
  record.command = {"make", "-j 8"};
  record.cwd = "/src";
  record.start_ns = start_ns;
  record.cpus = 2;
  record.version = "0.1.0";
  return record;
}

TEST(BuildRecordTest, RoundTrips) {
  BuildRecord record = Sample("b1", "before", 5);
  for (const bool ended : {false, true}) {
    if (ended) {
      record.end_ns = 9;
      record.status = 130;
    }
    const auto back = ParseBuildRecord(ToJson(record));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->id, "b1");
    EXPECT_EQ(back->name, "before");
    EXPECT_EQ(back->tags, record.tags);
    EXPECT_EQ(back->command, record.command);
    EXPECT_EQ(back->cwd, "/src");
    EXPECT_EQ(back->start_ns, 5);
    EXPECT_EQ(back->end_ns, record.end_ns);
    EXPECT_EQ(back->status, record.status);
    EXPECT_EQ(back->cpus, 2);
    EXPECT_EQ(back->version, "0.1.0");
    EXPECT_FALSE(back->unnamed);
  }
}

TEST(BuildRecordTest, ForeignJsonGivesWhatItHas) {
  EXPECT_FALSE(ParseBuildRecord("[]"));
  EXPECT_FALSE(ParseBuildRecord("{\"id\":"));
  const auto record =
      ParseBuildRecord(R"({"id":7,"tags":{"a":1,"b":"c"},"command":"make","unnamed":true})");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->id, "");
  EXPECT_EQ(record->tags, (decltype(record->tags){{"b", "c"}}));
  EXPECT_TRUE(record->command.empty());
  EXPECT_TRUE(record->unnamed);
}

class BuildsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
  }
  void Add(const BuildRecord& record) {
    ASSERT_TRUE(MakeDirs(BuildDir(state(), record.id), 0700));
    ASSERT_TRUE(WriteBuildRecord(BuildDir(state(), record.id), record));
  }
  std::string state() const { return dir_->path(); }

  std::optional<TempDir> dir_;
};

TEST_F(BuildsTest, NoneYet) { EXPECT_TRUE(ListBuilds(state()).value().empty()); }

// The folder's time stands in for what its record does not say.
TEST_F(BuildsTest, TheLatestIsTheLastListedAlsoWithoutARecord) {
  Add(Sample("old", "", 3));
  ASSERT_TRUE(MakeDirs(BuildDir(state(), "a-lost-one")));
  EXPECT_EQ(ListBuilds(state()).value().back().id, "a-lost-one");
}

TEST_F(BuildsTest, ListsByTimeAlsoWhatHasNoRecord) {
  Add(Sample("b", "", 2));
  Add(Sample("a", "", 3));
  ASSERT_TRUE(MakeDirs(BuildDir(state(), "c")));
  ASSERT_TRUE(WriteFileAtomic(BuildsDir(state()) + "/file", "", 0600));
  std::vector<std::string> ids;
  const std::vector<BuildRecord> builds = ListBuilds(state()).value();
  for (const BuildRecord& build : builds) ids.push_back(build.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"b", "a", "c"}));
}

}  // namespace
}  // namespace llama::builds
