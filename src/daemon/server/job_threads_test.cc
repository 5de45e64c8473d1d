#include "daemon/server/job_threads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace llama::daemon {
namespace {

// Holds tasks until it is opened.
class Gate {
 public:
  void Open() {
    const MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  void Pass() {
    const MutexLock lock(mutex_);
    ++inside_;
    changed_.NotifyAll();
    while (!open_) changed_.Wait(mutex_);
  }
  void AwaitInside(int count) {
    const MutexLock lock(mutex_);
    while (inside_ < count) changed_.Wait(mutex_);
  }
  int inside() {
    const MutexLock lock(mutex_);
    return inside_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ GUARDED_BY(mutex_) = false;
  int inside_ GUARDED_BY(mutex_) = 0;
};

TEST(JobThreads, RunAsManyTasksAtOnceAsAllowed) {
  Gate gate;
  JobThreads threads(3);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(threads.Post([&] { gate.Pass(); }));
  gate.AwaitInside(3);
  EXPECT_EQ(gate.inside(), 3);
  EXPECT_EQ(threads.pending(), 5u);
  EXPECT_FALSE(threads.AwaitIdle(1));
  gate.Open();
  EXPECT_TRUE(threads.AwaitIdle(10'000));
  EXPECT_EQ(gate.inside(), 5);
}

TEST(JobThreads, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    JobThreads threads(1);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(threads.Post([&order, i] { order.push_back(i); }));
  }
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(JobThreads, TheEndWaitsForWhatWasPosted) {
  std::atomic<int> ran = 0;
  {
    JobThreads threads(4);
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(threads.Post([&] { ++ran; }));
  }
  EXPECT_EQ(ran, 1000);
}

}  // namespace
}  // namespace llama::daemon
