#include "base/own_dir.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace llama {
namespace {

class OwnDirTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return dir_.path() + "/" + name; }
  mode_t ModeOf(const std::string& name) const {
    struct stat st {};
    EXPECT_EQ(lstat(Path(name).c_str(), &st), 0);
    return st.st_mode;
  }

  TempDir dir_ = TempDir::Create("own-dir").value();
};

TEST_F(OwnDirTest, IsMadeWithThoseAboveIt) {
  ASSERT_TRUE(MakeOwnDir(Path("a/b")));
  EXPECT_EQ(ModeOf("a/b"), S_IFDIR | 0700u);
  EXPECT_TRUE(MakeOwnDir(Path("a/b")));
}

TEST_F(OwnDirTest, TakesThePlaceOfAFileAndOfALinkToNowhere) {
  ASSERT_TRUE(WriteFileAtomic(Path("file"), "x", 0600));
  ASSERT_EQ(symlink("/nowhere/at/all", Path("link").c_str()), 0);
  for (const char* name : {"file", "link"}) {
    ASSERT_TRUE(MakeOwnDir(Path(name)));
    EXPECT_EQ(ModeOf(name), S_IFDIR | 0700u) << name;
  }
}

TEST_F(OwnDirTest, KeepsALinkToAFolder) {
  ASSERT_TRUE(MakeDirs(Path("elsewhere")));
  ASSERT_EQ(symlink("elsewhere", Path("link").c_str()), 0);
  ASSERT_TRUE(MakeOwnDir(Path("link")));
  EXPECT_TRUE(S_ISLNK(ModeOf("link")));
}

TEST_F(OwnDirTest, OpensOneThatIsClosedToItsOwner) {
  ASSERT_TRUE(MakeDirs(Path("closed")));
  ASSERT_EQ(chmod(Path("closed").c_str(), 0), 0);
  ASSERT_TRUE(MakeOwnDir(Path("closed")));
  EXPECT_EQ(ModeOf("closed") & 07777u, 0700u);
}

TEST_F(OwnDirTest, AFileTakesThePlaceOfWhatIsNone) {
  ASSERT_TRUE(MakeDirs(Path("folder/with/more")));
  ASSERT_EQ(symlink("/nowhere/at/all", Path("link").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  for (const char* name : {"folder", "link", "fifo", "absent"}) {
    EXPECT_TRUE(OpenOwnFile(Path(name), O_RDWR | O_CREAT)) << name;
    EXPECT_EQ(ModeOf(name), S_IFREG | 0600u) << name;
  }
}

TEST_F(OwnDirTest, AFileKeepsWhatItHolds) {
  ASSERT_TRUE(WriteFileAtomic(Path("closed"), "kept", 0));
  const Result<Fd> fd = OpenOwnFile(Path("closed"), O_RDWR | O_CREAT);
  ASSERT_TRUE(fd);
  EXPECT_EQ(ModeOf("closed") & 07777u, 0600u);
  EXPECT_EQ(*ReadAll(fd->get(), 100, "closed"), "kept");
}

}  // namespace
}  // namespace llama
