#include "builds/names.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"

namespace llama::builds {
namespace {

class NamesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    ASSERT_NE(getcwd(before_, sizeof before_), nullptr);
    ASSERT_EQ(chdir(dir_->path().c_str()), 0);
  }
  void TearDown() override { ASSERT_EQ(chdir(before_), 0); }

  void Add(const std::string& id, const std::string& name, int64_t start_ns, bool unnamed = false) {
    BuildRecord record;
    record.id = id;
    record.name = name;
    record.start_ns = start_ns;
    record.unnamed = unnamed;
    ASSERT_TRUE(MakeDirs(BuildDir(state(), id), 0700));
    ASSERT_TRUE(WriteBuildRecord(BuildDir(state(), id), record));
  }
  void AddSome() {
    Add("20260101-1", "before", 1);
    Add("20260101-2", "after", 2);
    Add("20260202-3", "before", 3);
    Add("20260303-unnamed", "", 4, true);
  }
  void AddFile(const std::string& name) {
    ASSERT_TRUE(WriteFileAtomic(JoinPath(state(), name), "", 0600));
  }
  std::string state() const { return dir_->path(); }
  Names Now() const { return *Names::Of(state()); }

  // A build's id, "file PATH", "folder PATH", or what is wrong.
  std::string Shown(const Named& named) const {
    const std::string builds = BuildsDir(state()) + "/";
    std::string text = named.path.starts_with(builds) ? named.path.substr(builds.size())
                       : named.is_build               ? "folder " + named.path
                                                      : "file " + named.path;
    return named.hides_file ? text + " (and a file)" : text;
  }
  std::string Find(std::string_view word) const {
    const auto found = Now().Find(word);
    return found ? Shown(*found) : found.error().message;
  }
  std::string FindAll(std::string_view word) const {
    const auto found = Now().FindAll(word);
    if (!found) return found.error().message;
    std::string text;
    for (const Named& named : *found) text.append(text.empty() ? "" : " ").append(Shown(named));
    return text;
  }
  std::string ToChange(std::string_view word) const {
    const auto found = Now().FindToChange(word);
    if (!found) return found.error().message;
    std::string text;
    for (const auto& record : *found) text.append(text.empty() ? "" : " ").append(record.id);
    return text;
  }

  std::optional<TempDir> dir_;
  char before_[4096];
};

TEST_F(NamesTest, NothingIsRecordedYet) {
  for (const char* word : {"", "latest"}) {
    EXPECT_EQ(Find(word), "no build is recorded in " + state()) << word;
    EXPECT_EQ(ToChange(word), "no build is recorded in " + state()) << word;
  }
  EXPECT_TRUE(Now().All().empty());
}

TEST_F(NamesTest, BuildsByIdNameAndBeginning) {
  AddSome();
  EXPECT_EQ(Find(""), "20260202-3");
  EXPECT_EQ(Find("latest"), "20260202-3");
  EXPECT_EQ(Find("before"), "20260202-3");
  EXPECT_EQ(Find("20260101-1"), "20260101-1");
  EXPECT_EQ(Find("202602"), "20260202-3");
  EXPECT_EQ(Find("20260101"), "'20260101' begins the ids of 2 builds: 20260101-1, 20260101-2");
}

TEST_F(NamesTest, OnlyAnUnnamedBuildIsTheLatestThen) {
  Add("u", "", 4, true);
  EXPECT_EQ(Find(""), "u");
}

TEST_F(NamesTest, FilesWithAndWithoutTheirFolder) {
  AddSome();
  AddFile("trace.ndjson");
  for (const char* folder : {"copied", "other"}) ASSERT_TRUE(MakeDirs(state() + "/" + folder));
  AddFile("copied/trace.ndjson.zst");
  EXPECT_EQ(Find("trace.ndjson"), "file trace.ndjson");
  EXPECT_EQ(Find("./trace.ndjson"), "file ./trace.ndjson");
  EXPECT_EQ(Find(state() + "/trace.ndjson"), "file " + state() + "/trace.ndjson");
  EXPECT_EQ(Find("copied"), "folder copied");
  EXPECT_EQ(Find("copied/"), "folder copied/");
  EXPECT_EQ(Find("./other"), "folder ./other");
  EXPECT_TRUE(Find("other").starts_with("no build 'other'")) << "there is no trace in it";
  EXPECT_EQ(Find("./none"), "file ./none");  // whoever opens it says what is wrong
  EXPECT_EQ(Find("-"), "file -");
}

TEST_F(NamesTest, ABuildComesBeforeAFileAndAFileBeforeABeginning) {
  AddSome();
  for (const char* name : {"before", "latest", "20260101-2", "202602", "-"}) AddFile(name);
  EXPECT_EQ(Find("before"), "20260202-3 (and a file)");
  EXPECT_EQ(Find("latest"), "20260202-3 (and a file)");
  EXPECT_EQ(Find("20260101-2"), "20260101-2 (and a file)");
  EXPECT_EQ(Find("./before"), "file ./before");
  EXPECT_EQ(Find("202602"), "file 202602");
  EXPECT_EQ(Find("-"), "file -");
}

TEST_F(NamesTest, ANameMayLookLikeAPath) {
  Add("a", "branch/x", 1);
  EXPECT_EQ(Find("branch/x"), "a");
  ASSERT_TRUE(MakeDirs(state() + "/branch"));
  AddFile("branch/x");
  EXPECT_EQ(Find("branch/x"), "file branch/x");
}

TEST_F(NamesTest, WhatIsNotThereIsNamedWithWhatIsNear) {
  AddSome();
  EXPECT_EQ(Find("befor"), "no build 'befor' in " + state() +
                               ", and no file of that name; near are: before; 'llama builds' "
                               "lists all");
  EXPECT_EQ(Find("20260101-3"), "no build '20260101-3' in " + state() +
                                    ", and no file of that name; near are: 20260101-2, "
                                    "20260101-1, 20260202-3; 'llama builds' lists all");
  EXPECT_EQ(ToChange("nix"), "no build 'nix' in " + state() + "; 'llama builds' lists all");
}

TEST_F(NamesTest, PatternsNameSeveral) {
  AddSome();
  EXPECT_EQ(FindAll("before"), "20260202-3");
  EXPECT_EQ(FindAll("be*"), "20260101-1 20260202-3");
  EXPECT_EQ(FindAll("20260101-?"), "20260101-1 20260101-2");
  EXPECT_EQ(FindAll("*"), "20260101-1 20260101-2 20260202-3 20260303-unnamed");
  EXPECT_EQ(FindAll("x*"), "no build is like 'x*' in " + state() +
                               ", and no file of that name; 'llama builds' lists all");
  AddFile("be*");
  EXPECT_EQ(FindAll("be*"), "file be*");
  EXPECT_EQ(Find("202602*"), "20260202-3");
  EXPECT_EQ(Find("*before"),
            "2 builds are like '*before', and one is wanted: 20260101-1, 20260202-3");
}

TEST_F(NamesTest, WhatChangesABuildTakesNoNameThatSeveralHave) {
  AddSome();
  AddFile("file");
  EXPECT_EQ(ToChange("before"),
            "2 builds are called 'before': 20260101-1, 20260202-3; say which by its id");
  EXPECT_EQ(ToChange("after"), "20260101-2");
  EXPECT_EQ(ToChange("20260101-1"), "20260101-1");
  EXPECT_EQ(ToChange("202602"), "20260202-3");
  EXPECT_EQ(ToChange("latest"), "20260202-3");
  EXPECT_EQ(ToChange("be*"), "20260101-1 20260202-3");
  EXPECT_EQ(ToChange("file"), "no build 'file' in " + state() + "; 'llama builds' lists all");
}

}  // namespace
}  // namespace llama::builds
