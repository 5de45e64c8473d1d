#include "base/file_identity.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"

namespace llama {
namespace {

TEST(FileIdentity, IsAnotherAfterEveryChange) {
  const Result<TempDir> dir = TempDir::Create();
  ASSERT_TRUE(dir);
  const std::string path = dir->path() + "/file";
  EXPECT_EQ(IdentityOf(path), FileIdentity{});
  ASSERT_TRUE(WriteFileAtomic(path, "one", 0644));
  const FileIdentity first = IdentityOf(path);
  EXPECT_NE(first, FileIdentity{});
  EXPECT_EQ(IdentityOf(path), first);
  ASSERT_TRUE(WriteFileAtomic(path, "two", 0644));
  const FileIdentity second = IdentityOf(path);
  EXPECT_NE(second, first);
  // Put back, as cp -p does: the ctime tells.
  struct timespec times[2] = {{1, 2}, {1, 2}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_EQ(IdentityOf(path).mtime_ns, 1'000'000'002);
  EXPECT_NE(IdentityOf(path), second);
}

TEST(FileIdentity, IsSettledWhenTheClocksGrainHasPassed) {
  FileIdentity identity;
  identity.ctime_ns = 1'000'000'000;
  EXPECT_FALSE(identity.IsSettled(1'000'000'000));
  EXPECT_FALSE(identity.IsSettled(1'049'999'999));
  EXPECT_TRUE(identity.IsSettled(1'050'000'000));
}

}  // namespace
}  // namespace llama
