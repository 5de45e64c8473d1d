#include "client/fallback_slot.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file.h"

namespace llama::client {
namespace {

class FallbackSlotTest : public testing::Test {
 protected:
  FallbackSlotTest() { options_.run_dir = dir_.path(); }
  TempDir dir_ = TempDir::Create("fallback").value();
  FallbackOptions options_;
};

TEST_F(FallbackSlotTest, NoMoreThanThereAreRunAtOnce) {
  options_.slots = 3;
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      const Fd slot = TakeFallbackSlot(options_);
      EXPECT_TRUE(slot.valid());
      const int now = ++running;
      int before = most.load();
      while (now > before && !most.compare_exchange_weak(before, now)) continue;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      --running;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 3);
}

TEST_F(FallbackSlotTest, IsHeldAsLongAsAnyoneHasItsDescriptor) {
  Fd slot = TakeFallbackSlot(options_);
  ASSERT_TRUE(slot.valid());
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte;
    close(fds[1]);
    (void)!read(fds[0], &byte, 1);
    _exit(0);
  }
  close(fds[0]);
  slot.Reset();
  options_.most_ms = 100;
  EXPECT_FALSE(TakeFallbackSlot(options_).valid());
  close(fds[1]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(TakeFallbackSlot(options_).valid());
}

TEST_F(FallbackSlotTest, OneGoesWithoutWhenNothingMoves) {
  options_.patience_ms = 300;
  const Fd held = TakeFallbackSlot(options_);
  ASSERT_TRUE(held.valid());
  const int64_t begin_ns = SystemClock().MonotonicNs();
  std::atomic<int> gone{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      EXPECT_FALSE(TakeFallbackSlot(options_).valid());
      const int64_t waited_ms = (SystemClock().MonotonicNs() - begin_ns) / 1'000'000;
      const int number = ++gone;
      EXPECT_GE(waited_ms, number * options_.patience_ms);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(FallbackSlotTest, AFolderThatCannotBeIsNoReasonToWait) {
  options_.run_dir += "/none";
  EXPECT_FALSE(TakeFallbackSlot(options_).valid());
}

}  // namespace
}  // namespace llama::client
