#include "base/staged_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"

namespace llama {
namespace {

class StagedFileTest : public testing::TestWithParam<StagedFile::Replace> {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create("staged-file-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
  }
  std::string Path(const std::string& name) const { return JoinPath(dir_->path(), name); }
  Result<void> Put(const std::string& name, const std::string& bytes) {
    ASSIGN_OR_RETURN(StagedFile file, StagedFile::Write(Path(name), bytes, 0640));
    return file.Commit(GetParam());
  }
  std::optional<TempDir> dir_;
};

TEST_P(StagedFileTest, StandsUnderItsNameOnceItIsCommitted) {
  auto file = StagedFile::Write(Path("a"), "one", 0640);
  ASSERT_TRUE(file);
  EXPECT_FALSE(ReadFile(Path("a")));
  ASSERT_TRUE(file->Commit(GetParam()));
  EXPECT_EQ(*ReadFile(Path("a")), "one");
  EXPECT_EQ(ListDir(dir_->path())->size(), 1u);
}

TEST_P(StagedFileTest, TakesAnothersPlaceAndLeavesItsOtherLinksAlone) {
  ASSERT_TRUE(Put("a", "old"));
  ASSERT_EQ(link(Path("a").c_str(), Path("other").c_str()), 0);
  ASSERT_TRUE(Put("a", "new"));
  EXPECT_EQ(*ReadFile(Path("a")), "new");
  EXPECT_EQ(*ReadFile(Path("other")), "old");
  struct stat st {};
  ASSERT_EQ(stat(Path("other").c_str(), &st), 0);
  EXPECT_EQ(st.st_nlink, 1u);
  EXPECT_EQ(ListDir(dir_->path())->size(), 2u);
}

TEST_P(StagedFileTest, LeavesAFolderWhereItIs) {
  ASSERT_TRUE(MakeDirs(Path("a/inner")));
  const Result<void> put = Put("a", "new");
  ASSERT_FALSE(put);
  EXPECT_NE(put.error().message.find(Path("a")), std::string::npos);
  EXPECT_EQ(*ListDir(dir_->path()), std::vector<std::string>{"a"});
  EXPECT_EQ(*ListDir(Path("a")), std::vector<std::string>{"inner"});
}

TEST_P(StagedFileTest, IsAsIfItHadNeverBeenUnlessCommitted) {
  ASSERT_TRUE(Put("a", "old"));
  { ASSERT_TRUE(StagedFile::Write(Path("a"), "new", 0640)); }
  EXPECT_EQ(*ReadFile(Path("a")), "old");
  EXPECT_EQ(ListDir(dir_->path())->size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Replace, StagedFileTest,
                         testing::Values(StagedFile::Replace::kFlushed,
                                         StagedFile::Replace::kUnflushed));

}  // namespace
}  // namespace llama
