#include "client/peer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/fd.h"
#include "base/file.h"
#include "session/socket.h"

namespace llama::client {
namespace {

TEST(Peer, IsStoppedOnlyWhileItIs) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  auto dir = TempDir::Create("peer");
  ASSERT_TRUE(dir);
  const std::string run_dir = session::RunDir(dir->path());
  ASSERT_TRUE(MakeDirs(run_dir, 0700));
  const pid_t child = fork();
  if (child == 0) {
    const auto listener = session::ListenSocket(run_dir);
    (void)!write(ends[1], listener ? "y" : "n", 1);
    while (true) pause();
  }
  char ready = 0;
  ASSERT_EQ(read(ends[0], &ready, 1), 1);
  ASSERT_EQ(ready, 'y');
  const Result<Fd> fd = session::ConnectSocket(run_dir);
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_FALSE(IsPeerStopped(fd->get()));
  kill(child, SIGSTOP);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(IsPeerStopped(fd->get()));
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, WCONTINUED), child);
  EXPECT_FALSE(IsPeerStopped(fd->get()));
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_FALSE(IsPeerStopped(fd->get()));
  EXPECT_FALSE(IsPeerStopped(-1));
}

}  // namespace
}  // namespace llama::client
