#include "llama/build/masquerade.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"

namespace llama::app {
namespace {

class MasqueradeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    for (const char* name : {"a", "b"}) ASSERT_TRUE(MakeDirs(In(name)));
  }

  std::string In(const std::string& name) const { return JoinPath(dir_->path(), name); }
  void Program(const std::string& name, mode_t mode = 0755) {
    ASSERT_TRUE(WriteFileAtomic(In(name), "#!", mode));
  }
  std::vector<std::string> Links() const { return ListDir(In("masquerade")).value(); }

  std::optional<TempDir> dir_;
};

using Names = std::vector<std::string>;

TEST_F(MasqueradeTest, FindsCompilersUnderAnyOfTheirNames) {
  for (const char* name : {"a/gcc", "a/x86_64-linux-gnu-g++-12", "a/gcc-ar", "a/ls", "a/cc"}) {
    Program(name);
  }
  for (const char* name : {"b/gcc", "b/clang++-14", "b/c99"}) Program(name);
  Program("b/c++", 0644);
  ASSERT_TRUE(MakeDirs(In("b/clang")));
  ASSERT_EQ(symlink("nowhere", In("b/g++").c_str()), 0);
  EXPECT_EQ(CompilersInPath(In("a") + "::" + In("none") + ":" + In("b"), ""),
            (Names{"c99", "cc", "clang++-14", "gcc", "x86_64-linux-gnu-g++-12"}));
  EXPECT_EQ(CompilersInPath(In("a") + ":" + In("b"), In("a")), (Names{"c99", "clang++-14", "gcc"}));
}

TEST_F(MasqueradeTest, LinksAreMadeKeptAndRemoved) {
  const std::string dir = In("masquerade");
  ASSERT_TRUE(UpdateMasquerade(dir, "/opt/llamacc", {"cc", "gcc"}));
  EXPECT_EQ(Links(), (Names{"cc", "gcc"}));
  EXPECT_EQ(ReadLink(dir + "/gcc").value(), "/opt/llamacc");
  struct stat before {};
  ASSERT_EQ(lstat((dir + "/gcc").c_str(), &before), 0);

  ASSERT_TRUE(UpdateMasquerade(dir, "/opt/llamacc", {"clang", "gcc"}));
  EXPECT_EQ(Links(), (Names{"clang", "gcc"}));
  struct stat after {};
  ASSERT_EQ(lstat((dir + "/gcc").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);

  ASSERT_TRUE(UpdateMasquerade(dir, "/new/llamacc", {"clang", "gcc"}));
  EXPECT_EQ(Links(), (Names{"clang", "gcc"}));
  EXPECT_EQ(ReadLink(dir + "/clang").value(), "/new/llamacc");
}

TEST_F(MasqueradeTest, SaysWhichFolderCannotBeMade) {
  Program("file");
  const auto updated = UpdateMasquerade(In("file/masquerade"), "/opt/llamacc", {"cc"});
  ASSERT_FALSE(updated);
  EXPECT_NE(updated.error().message.find("file"), std::string::npos);
}

TEST(PathTest, FolderComesFirstAndOnce) {
  struct Case {
    const char* path;
    const char* expected;
  };
  const Case cases[] = {
      {"/usr/bin:/bin", "/m:/usr/bin:/bin"},
      {"/usr/bin:/m:/bin", "/m:/usr/bin:/bin"},
      {"/m:/m:/bin", "/m:/bin"},
      {"/bin::/m2", "/m:/bin::/m2"},
  };
  for (const Case& c : cases) EXPECT_EQ(PathWithFirst("/m", c.path), c.expected);
}

}  // namespace
}  // namespace llama::app
