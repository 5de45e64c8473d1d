#include "admission/process_tree.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"

namespace llama::admission {
namespace {

class ProcessTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    Result<TempDir> dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
  }
  // `ticks` are user, system, and those of children that were waited for.
  void Process(int pid, const std::string& name, char state, int parent, const std::string& ticks) {
    const std::string dir = dir_->path() + "/" + std::to_string(pid);
    ASSERT_TRUE(MakeDirs(dir));
    ASSERT_TRUE(WriteFileAtomic(dir + "/stat",
                                std::to_string(pid) + " (" + name + ") " + state + " " +
                                    std::to_string(parent) + " 1 1 0 -1 0 0 0 0 0 " + ticks +
                                    " 20 0 1 0 99\n",
                                0600));
  }
  Work Of(const std::vector<pid_t>& roots) const { return WorkOf(roots, dir_->path()); }

  std::optional<TempDir> dir_;
  const int64_t tick_ns_ = 1'000'000'000 / sysconf(_SC_CLK_TCK);
};

TEST_F(ProcessTreeTest, IsTheSumOverDescendants) {
  Process(1, "init", 'R', 0, "100 100 100 100");
  Process(10, "gcc", 'S', 1, "1 2 3 4");
  Process(11, "as) R 1 (x", 'S', 10, "10 0 0 0");
  Process(12, "cc1", 'S', 11, "0 0 0 7");
  Process(20, "other", 'R', 1, "50 50 0 0");
  EXPECT_EQ(Of({10}).cpu_ns, 27 * tick_ns_);
  EXPECT_FALSE(Of({10}).is_active);
  EXPECT_EQ(Of({10, 11, 20}).cpu_ns, 127 * tick_ns_);
  EXPECT_TRUE(Of({10, 20}).is_active);
  Process(12, "cc1", 'D', 11, "0 0 0 7");
  EXPECT_TRUE(Of({10}).is_active);
}

TEST_F(ProcessTreeTest, ATreeWithinAnotherIsItsOwn) {
  Process(10, "daemon", 'S', 1, "1 2 3 4");
  Process(11, "worker", 'S', 10, "10 0 5 0");
  Process(12, "cc1", 'R', 11, "0 7 0 0");
  Process(13, "cc1", 'R', 10, "0 20 0 0");
  const auto trees = CpuOfTrees({10, 11, 99}, dir_->path());
  ASSERT_EQ(trees.size(), 2u);
  EXPECT_EQ(trees.at(10).own_ns, 3 * tick_ns_);
  EXPECT_EQ(trees.at(10).below_ns, (7 + 20) * tick_ns_);
  EXPECT_EQ(trees.at(11).own_ns, 10 * tick_ns_);
  EXPECT_EQ(trees.at(11).below_ns, 12 * tick_ns_);
}

TEST_F(ProcessTreeTest, WhatCannotBeReadDoesNothing) {
  EXPECT_EQ(Of({10}).cpu_ns, 0);
  ASSERT_TRUE(MakeDirs(dir_->path() + "/10"));
  ASSERT_TRUE(WriteFileAtomic(dir_->path() + "/10/stat", "10 (x) S 1", 0600));
  // Read one after the other, numbers being given anew: each the other's parent.
  Process(30, "a", 'S', 31, "1 0 0 0");
  Process(31, "b", 'S', 30, "1 0 0 0");
  EXPECT_EQ(Of({10}).cpu_ns, 0);
  EXPECT_EQ(Of({30}).cpu_ns, 2 * tick_ns_);
}

TEST(WorkOf, SeesThisProcessAtWork) {
  const Work before = WorkOf({getpid()});
  EXPECT_TRUE(before.is_active);
  Work after = before;
  for (int i = 0; i < 100'000 && after.cpu_ns == before.cpu_ns; ++i) after = WorkOf({getpid()});
  EXPECT_GT(after.cpu_ns, before.cpu_ns);
}

}  // namespace
}  // namespace llama::admission
