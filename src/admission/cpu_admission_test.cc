#include "admission/cpu_admission.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace llama::admission {
namespace {

constexpr int64_t kMsNs = 1'000'000;
constexpr int64_t kPatienceNs = 1000 * kMsNs;

class CpuAdmissionTest : public testing::Test {
 protected:
  using Hold = CpuAdmission::Hold;

  CpuAdmission& Make(int cores, int local_slots) {
    CpuAdmission::Options options;
    options.cores = cores;
    options.local_slots = local_slots;
    options.patience_ms = kPatienceNs / kMsNs;
    options.work_of = [this](const std::vector<pid_t>& holders) {
      looked_at_ = holders;
      ++looks_;
      return work_;
    };
    cpu_ = std::make_unique<CpuAdmission>(std::move(options));
    return *cpu_;
  }
  // Asks as the server's loop does, some times a second; how many were granted.
  int GrantsUntil(int64_t end_ns) {
    int granted = 0;
    for (; now_ns_ < end_ns; now_ns_ += kPatienceNs / 20) {
      work_.cpu_ns += used_per_look_ns_;
      while (cpu_->Grant(now_ns_)) ++granted;
    }
    return granted;
  }

  std::unique_ptr<CpuAdmission> cpu_;
  Work work_;
  int64_t used_per_look_ns_ = 0;
  int64_t now_ns_ = 0;
  int looks_ = 0;
  std::vector<pid_t> looked_at_;
};

TEST_F(CpuAdmissionTest, AnIdleCoreIsGivenAwayOnceInATimeAndNotBeforeWhoWaits) {
  CpuAdmission& cpu = Make(2, 2);
  EXPECT_TRUE(cpu.ClaimIdle(0));
  EXPECT_FALSE(cpu.ClaimIdle(10 * kMsNs)) << "the first has not asked for its slot yet";
  cpu.Request(1, 0, 20 * kMsNs);
  EXPECT_FALSE(cpu.ClaimIdle(100 * kMsNs)) << "somebody waits";
  ASSERT_TRUE(cpu.Grant(100 * kMsNs));
  EXPECT_TRUE(cpu.ClaimIdle(100 * kMsNs));
  cpu.Request(2, 0, 110 * kMsNs);
  ASSERT_TRUE(cpu.Grant(110 * kMsNs));
  EXPECT_FALSE(cpu.ClaimIdle(900 * kMsNs)) << "none is idle";
}

TEST_F(CpuAdmissionTest, SlotsAreGrantedInTheOrderOfRequests) {
  CpuAdmission& cpu = Make(2, 2);
  for (const CpuAdmission::Id id : {5u, 3u, 9u, 1u}) cpu.Request(id, 0, 0);
  EXPECT_EQ(cpu.Grant(0), 5u);
  EXPECT_EQ(cpu.Grant(0), 3u);
  EXPECT_EQ(cpu.Grant(0), std::nullopt);
  EXPECT_EQ(cpu.held(), 2u);
  EXPECT_EQ(cpu.waiting(), 2u);
  cpu.Release(3, 1);
  EXPECT_EQ(cpu.Grant(1), 9u);
  EXPECT_EQ(cpu.Grant(1), std::nullopt);
}

TEST_F(CpuAdmissionTest, WhoGivesUpLeavesTheQueue) {
  CpuAdmission& cpu = Make(1, 1);
  for (const CpuAdmission::Id id : {1u, 2u, 3u}) cpu.Request(id, 0, 0);
  EXPECT_EQ(cpu.Grant(0), 1u);
  cpu.Release(2, 0);
  EXPECT_EQ(cpu.waiting(), 1u);
  cpu.Release(1, 0);
  EXPECT_EQ(cpu.Grant(0), 3u);
}

TEST_F(CpuAdmissionTest, ReleasingAStrangerChangesNothing) {
  CpuAdmission& cpu = Make(1, 1);
  cpu.Request(1, 0, 0);
  EXPECT_EQ(cpu.Grant(0), 1u);
  cpu.Release(7, 0);
  cpu.Request(2, 0, 0);
  EXPECT_EQ(cpu.Grant(0), std::nullopt);
}

TEST_F(CpuAdmissionTest, ScansAndSlotsTogetherAreNoMoreThanTheCores) {
  CpuAdmission& cpu = Make(4, 4);
  const Hold first(cpu, nullptr);
  const Hold second(cpu, nullptr);
  for (const CpuAdmission::Id id : {1u, 2u, 3u}) cpu.Request(id, 0, 0);
  EXPECT_EQ(cpu.Grant(0), 1u);
  EXPECT_EQ(cpu.Grant(0), 2u);
  EXPECT_EQ(cpu.Grant(0), std::nullopt);
  // A third scan would be the fifth of four.
  const Hold third(cpu, [] { return true; });
  EXPECT_FALSE(third.held());
}

TEST_F(CpuAdmissionTest, OneScanRunsBesideSlotsOnEveryCore) {
  CpuAdmission& cpu = Make(2, 2);
  for (const CpuAdmission::Id id : {1u, 2u}) cpu.Request(id, 0, 0);
  EXPECT_TRUE(cpu.Grant(0) && cpu.Grant(0));
  const Hold first(cpu, [] { return true; });
  EXPECT_TRUE(first.held());
  const Hold second(cpu, [] { return true; });
  EXPECT_FALSE(second.held());
}

TEST_F(CpuAdmissionTest, AWaitingScanGoesBeforeAWaitingSlotButTheFirst) {
  CpuAdmission& cpu = Make(2, 2);
  std::atomic<int> told = 0;
  cpu.OnRoom([&] { ++told; });
  std::optional<Hold> first(std::in_place, cpu, nullptr);
  std::optional<Hold> second(std::in_place, cpu, nullptr);
  cpu.Request(1, 0, 0);
  cpu.Request(2, 0, 0);
  EXPECT_EQ(cpu.Grant(0), std::nullopt);
  std::atomic<bool> release = false;
  std::atomic<bool> asked = false;
  std::thread scanner([&] {
    const Hold third(cpu, [&] {
      asked = true;
      return false;
    });
    while (!release) std::this_thread::yield();
  });
  while (!asked) std::this_thread::yield();  // it waits
  second.reset();
  EXPECT_EQ(told, 1);
  // No slot was held: the core that came free is kept for the first, though a scan waits.
  EXPECT_EQ(cpu.scans(), 1);
  EXPECT_EQ(cpu.Grant(0), 1u);
  first.reset();
  while (cpu.scans() == 0) std::this_thread::yield();
  EXPECT_EQ(cpu.Grant(0), std::nullopt);
  release = true;
  scanner.join();
  EXPECT_EQ(cpu.Grant(0), 2u);
  cpu.OnRoom({});
}

TEST_F(CpuAdmissionTest, AScanGivesUpWhenItIsCancelled) {
  CpuAdmission& cpu = Make(1, 1);
  const Hold first(cpu, nullptr);
  EXPECT_TRUE(first.held());
  int asked = 0;
  const Hold second(cpu, [&] { return ++asked == 2; });
  EXPECT_FALSE(second.held());
}

TEST_F(CpuAdmissionTest, OneMoreIsGrantedWhenTheHoldersAreStuck) {
  CpuAdmission& cpu = Make(1, 1);
  for (const CpuAdmission::Id id : {1u, 2u, 3u}) cpu.Request(id, 100 + static_cast<int>(id), 0);
  EXPECT_EQ(cpu.Grant(0), 1u);
  EXPECT_EQ(GrantsUntil(kPatienceNs), 0);
  EXPECT_EQ(GrantsUntil(kPatienceNs * 5 / 4), 1);
  EXPECT_EQ(looked_at_, std::vector<pid_t>{101});
  // And the next only after as long again.
  EXPECT_EQ(GrantsUntil(kPatienceNs * 2), 0);
  EXPECT_EQ(GrantsUntil(kPatienceNs * 9 / 4), 1);
  // Back to the capacity.
  cpu.Request(4, 0, now_ns_);
  cpu.Release(1, now_ns_);
  cpu.Release(2, now_ns_);
  EXPECT_EQ(cpu.Grant(now_ns_), std::nullopt);
  cpu.Release(3, now_ns_);
  EXPECT_EQ(cpu.Grant(now_ns_), 4u);
}

// A dead cloud and make -j200: all fall back at once, and two at a time is what the cores can do.
TEST_F(CpuAdmissionTest, NoMoreIsGrantedWhileTheHoldersWork) {
  CpuAdmission& cpu = Make(2, 2);
  for (CpuAdmission::Id id = 1; id <= 200; ++id) cpu.Request(id, 0, 0);
  used_per_look_ns_ = kPatienceNs / 100;
  EXPECT_EQ(GrantsUntil(240 * kPatienceNs), 2);
  EXPECT_GT(looks_, 200);
  // Swapping: they use nothing, and wait for the disk.
  used_per_look_ns_ = 0;
  work_.is_active = true;
  EXPECT_EQ(GrantsUntil(480 * kPatienceNs), 0);
  work_.is_active = false;
  EXPECT_GE(GrantsUntil(482 * kPatienceNs), 1);
}

TEST_F(CpuAdmissionTest, WhatIsGrantedBeyondTheSlotsIsBounded) {
  CpuAdmission& few = Make(1, 1);
  for (CpuAdmission::Id id = 1; id <= 200; ++id) few.Request(id, 0, 0);
  EXPECT_EQ(GrantsUntil(100 * kPatienceNs), 1 + 4);
  now_ns_ = 0;
  CpuAdmission& many = Make(16, 16);
  for (CpuAdmission::Id id = 1; id <= 200; ++id) many.Request(id, 0, 0);
  EXPECT_EQ(GrantsUntil(100 * kPatienceNs), 2 * 16);
}

// The loop was held up, and looks for the first time when patience has long run out.
TEST_F(CpuAdmissionTest, OneLookIsNotEnough) {
  CpuAdmission& cpu = Make(1, 1);
  for (const CpuAdmission::Id id : {1u, 2u}) cpu.Request(id, 0, 0);
  EXPECT_EQ(cpu.Grant(0), 1u);
  EXPECT_EQ(cpu.Grant(10 * kPatienceNs), std::nullopt);
  EXPECT_EQ(cpu.Grant(10 * kPatienceNs + 1), std::nullopt);
  EXPECT_EQ(cpu.Grant(11 * kPatienceNs), 2u);
}

}  // namespace
}  // namespace llama::admission
