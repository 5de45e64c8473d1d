#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"

namespace llama {
namespace {

constexpr char kPrefix[] = "temp-dir-test";

// Where a process of its own has made one, and was killed.
std::string LeftBehind() {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  const pid_t child = fork();
  if (child == 0) {
    const Result<TempDir> dir = TempDir::Create(kPrefix);
    const std::string path = dir ? dir->path() : "";
    (void)!write(fds[1], path.data(), path.size());
    raise(SIGKILL);
  }
  close(fds[1]);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  const std::string path = ReadAll(fds[0], 4096, "pipe").value();
  close(fds[0]);
  return path;
}

TEST(TempDirTest, RemovesThoseOfProcessesThatWereKilled) {
  const std::string left = LeftBehind();
  ASSERT_TRUE(IsDirectory(left));
  const TempDir other = TempDir::Create("temp-dir-test-2").value();
  EXPECT_TRUE(IsDirectory(left)) << "another prefix";
  const TempDir first = TempDir::Create(kPrefix).value();
  EXPECT_FALSE(IsDirectory(left));
  const TempDir second = TempDir::Create(kPrefix).value();
  EXPECT_TRUE(IsDirectory(first.path())) << "its process lives";
}

TEST(TempDirTest, LeavesWhatHasNoOwnerInItsName) {
  const TempDir dir = TempDir::Create(kPrefix).value();
  const std::string stem = dir.path().substr(0, dir.path().rfind('-'));
  const std::string start = stem.substr(0, stem.rfind('-'));
  for (const std::string& path : {start + "-x-AAAAAA", start + "-999999999-AAAAAAA", start}) {
    ASSERT_TRUE(MakeDirs(path));
    const TempDir next = TempDir::Create(kPrefix).value();
    EXPECT_TRUE(IsDirectory(path));
    ASSERT_TRUE(RemoveTree(path));
  }
}

}  // namespace
}  // namespace llama
