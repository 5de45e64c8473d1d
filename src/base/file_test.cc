#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

namespace llama {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create("file-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
  }
  std::string Path(const std::string& name) const { return JoinPath(dir_->path(), name); }
  std::optional<TempDir> dir_;
};

TEST_F(FileTest, AtomicWriteReplacesWholeAndLeavesNothingElse) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "one", 0644));
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "two", 0600));
  EXPECT_EQ(*ReadFile(Path("a")), "two");
  struct stat st {};
  ASSERT_EQ(stat(Path("a").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0600u);
  EXPECT_EQ(ListDir(dir_->path())->size(), 1u);
}

TEST_F(FileTest, AtomicWriteReplacesASymlinkAndNotItsTarget) {
  ASSERT_TRUE(WriteFileAtomic(Path("target"), "old", 0644));
  ASSERT_EQ(symlink("target", Path("link").c_str()), 0);
  ASSERT_TRUE(WriteFileAtomic(Path("link"), "new", 0644));
  EXPECT_EQ(*ReadFile(Path("target")), "old");
  EXPECT_EQ(*ReadFile(Path("link")), "new");
}

TEST_F(FileTest, AtomicWriteNamesThePathItCouldNotWrite) {
  const auto result = WriteFileAtomic(Path("no/such/file"), "x", 0644);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kNotFound);
  EXPECT_NE(result.error().message.find("no/such/file"), std::string::npos);
}

TEST_F(FileTest, ReadFileKeepsToItsBound) {
  ASSERT_TRUE(WriteFileAtomic(Path("big"), std::string(10'000, 'x'), 0644));
  EXPECT_EQ(ReadFile(Path("big"), 10'000)->size(), 10'000u);
  const auto over = ReadFile(Path("big"), 9'999);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, Code::kInvalid);
  EXPECT_EQ(ReadFile(Path("none")).error().code, Code::kNotFound);
  EXPECT_FALSE(ReadFile(dir_->path()));
}

TEST_F(FileTest, RemoveTreeDoesNotFollowLinks) {
  ASSERT_TRUE(MakeDirs(Path("keep")));
  ASSERT_TRUE(WriteFileAtomic(Path("keep/file"), "x", 0644));
  ASSERT_TRUE(MakeDirs(Path("gone/deep/er")));
  ASSERT_EQ(symlink("../../keep", Path("gone/deep/link").c_str()), 0);
  ASSERT_TRUE(RemoveTree(Path("gone")));
  EXPECT_EQ(*ListDir(dir_->path()), std::vector<std::string>{"keep"});
  EXPECT_TRUE(ReadFile(Path("keep/file")));
  EXPECT_TRUE(RemoveTree(Path("never-there")));
}

TEST_F(FileTest, MakeDirsAcceptsWhatIsThereAndRefusesAFile) {
  EXPECT_TRUE(MakeDirs(Path("a/b/c")));
  EXPECT_TRUE(MakeDirs(Path("a/b/c")));
  ASSERT_TRUE(WriteFileAtomic(Path("f"), "x", 0644));
  EXPECT_FALSE(MakeDirs(Path("f")));
  EXPECT_FALSE(MakeDirs(Path("f/sub")));
}

TEST(PathTest, SplitsAndJoinsLexically) {
  EXPECT_EQ(DirName("/a/b"), "/a");
  EXPECT_EQ(DirName("/a"), "/");
  EXPECT_EQ(DirName("a"), ".");
  EXPECT_EQ(BaseName("/a/b"), "b");
  EXPECT_EQ(JoinPath("/a", "b"), "/a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(JoinPath("/a", "/b"), "/b");
}

}  // namespace
}  // namespace llama
