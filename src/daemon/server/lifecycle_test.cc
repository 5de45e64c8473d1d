#include "daemon/server/lifecycle.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"

namespace llama::daemon {
namespace {

TEST(LockDaemonTest, IsTakenAsSoonAsItIsGivenUp) {
  const TempDir dir = TempDir::Create("lifecycle").value();
  Result<Fd> first = LockDaemon(dir.path(), 0);
  ASSERT_TRUE(first);
  EXPECT_EQ(LockDaemon(dir.path(), 0).error().code, Code::kDeadline);
  first->Reset();
  EXPECT_TRUE(LockDaemon(dir.path(), 0));
}

// Somebody removes the folder to begin anew, while one holds the lock and another waits for it.
TEST(LockDaemonTest, IsAnotherOnceItsFileIsRemoved) {
  const TempDir dir = TempDir::Create("lifecycle").value();
  const Result<Fd> first = LockDaemon(dir.path(), 0);
  ASSERT_TRUE(first);
  Result<Fd> second = Error{Code::kInternal, "not tried"};
  std::thread waiting([&] { second = LockDaemon(dir.path(), 20'000); });
  ASSERT_EQ(unlink((dir.path() + "/daemon.lock").c_str()), 0);
  waiting.join();
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(LockDaemon(dir.path(), 0).error().code, Code::kDeadline) << "it is the one at the path";
}

}  // namespace
}  // namespace llama::daemon
