#include "session/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"

namespace llama::session {
namespace {

class Socket : public testing::Test {
 protected:
  void SetUp() override {
    Result<TempDir> dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
  }
  std::string RunFolder() const { return RunDir(dir_->path()); }

  std::optional<TempDir> dir_;
};

TEST_F(Socket, ConnectsThroughPathsOfAnyLength) {
  for (const std::string& run : {RunFolder(), dir_->path() + "/" + std::string(150, 'd')}) {
    const Result<Fd> listener = ListenSocket(run);
    ASSERT_TRUE(listener) << listener.error().message;
    const Result<Fd> client = ConnectSocket(run);
    ASSERT_TRUE(client) << client.error().message;
    const Fd server(accept(listener->get(), nullptr, nullptr));
    ASSERT_TRUE(server.valid());
    EXPECT_TRUE(CheckPeer(server.get()));
  }
}

TEST_F(Socket, NobodyThereIsNotFound) {
  EXPECT_EQ(ConnectSocket(RunFolder()).error().code, Code::kNotFound);
  // A socket whose listener died.
  { ASSERT_TRUE(ListenSocket(RunFolder())); }
  EXPECT_EQ(ConnectSocket(RunFolder()).error().code, Code::kNotFound);
}

TEST_F(Socket, ReplacesAStaleSocket) {
  { ASSERT_TRUE(ListenSocket(RunFolder())); }
  const Result<Fd> listener = ListenSocket(RunFolder());
  ASSERT_TRUE(listener);
  EXPECT_TRUE(ConnectSocket(RunFolder()));
}

TEST_F(Socket, RefusesAFolderThatOthersMayEnter) {
  const Result<Fd> listener = ListenSocket(RunFolder());
  ASSERT_TRUE(listener);
  struct stat st {};
  ASSERT_EQ(stat(RunFolder().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0700u);
  ASSERT_EQ(chmod(RunFolder().c_str(), 0770), 0);
  EXPECT_EQ(ConnectSocket(RunFolder()).error().code, Code::kInvalid);
}

TEST_F(Socket, RefusesAFolderOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give a folder away";
  ASSERT_TRUE(MakeDirs(RunFolder(), 0700));
  ASSERT_EQ(chown(RunFolder().c_str(), 65534, 65534), 0);
  EXPECT_EQ(OpenRunDir(RunFolder(), false).error().code, Code::kInvalid);
}

TEST_F(Socket, RefusesALinkInPlaceOfTheFolder) {
  ASSERT_TRUE(MakeDirs(dir_->path() + "/elsewhere", 0700));
  ASSERT_EQ(symlink("elsewhere", RunFolder().c_str()), 0);
  EXPECT_FALSE(OpenRunDir(RunFolder(), true));
}

}  // namespace
}  // namespace llama::session
