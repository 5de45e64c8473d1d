#include "aws/lambda/concurrency_gate.h"

#include <gtest/gtest.h>

#include <thread>

namespace llama::aws {
namespace {

TEST(ConcurrencyGate, LearnsHowManyRunAtOnce) {
  ConcurrencyGate gate(100, SystemClock());
  const int64_t soon_ns = SystemClock().MonotonicNs() + 20'000'000'000;
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(gate.Enter(nullptr, soon_ns));
  // 30 of the 40 are throttled: 10 run.
  std::vector<std::thread> throttled;
  for (int i = 0; i < 30; ++i) {
    throttled.emplace_back([&] {
      EXPECT_TRUE(gate.Throttled("", nullptr, soon_ns));
      gate.Leave(true);
    });
  }
  while (gate.in_flight() > 10) std::this_thread::yield();
  EXPECT_EQ(gate.limit(), 10);
  for (int i = 0; i < 10; ++i) gate.Leave(true);
  for (std::thread& thread : throttled) thread.join();
  EXPECT_EQ(gate.in_flight(), 0);
  EXPECT_NEAR(static_cast<double>(gate.limit()), 14, 1);  // a tenth for each success
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_TRUE(gate.Enter(nullptr, soon_ns));
    gate.Leave(true);
  }
  EXPECT_EQ(gate.limit(), 100);
}

TEST(ConcurrencyGate, ShutsWhenThrottledThoughNothingRuns) {
  FakeClock clock;
  ConcurrencyGate gate(100, clock);
  ASSERT_TRUE(gate.Enter(nullptr, INT64_MAX));
  ASSERT_TRUE(gate.Throttled("", nullptr, INT64_MAX)) << "it may pass";
  clock.AdvanceNs(ConcurrencyGate::kAloneMs * 1'000'000);
  const auto shut = gate.Throttled("", nullptr, INT64_MAX);
  ASSERT_FALSE(shut);
  EXPECT_EQ(shut.error().code, Code::kUnavailable);
  EXPECT_FALSE(gate.Enter(nullptr, INT64_MAX)) << "told at once";
  clock.AdvanceNs(ConcurrencyGate::kProbeMs * 1'000'000);
  ASSERT_TRUE(gate.Enter(nullptr, INT64_MAX)) << "the probe";
  EXPECT_FALSE(gate.Enter(nullptr, INT64_MAX));
  EXPECT_FALSE(gate.Throttled("", nullptr, INT64_MAX));
  clock.AdvanceNs(ConcurrencyGate::kProbeMs * 1'000'000);
  ASSERT_TRUE(gate.Enter(nullptr, INT64_MAX));
  gate.Leave(true);
  ASSERT_TRUE(gate.Enter(nullptr, INT64_MAX)) << "open again";
  EXPECT_EQ(gate.in_flight(), 1);
}

TEST(ConcurrencyGate, SaysWhoseLimitItIs) {
  const auto shut_by = [](const std::string& reason) {
    FakeClock clock;
    ConcurrencyGate gate(100, clock);
    EXPECT_TRUE(gate.Enter(nullptr, INT64_MAX));
    EXPECT_TRUE(gate.Throttled(reason, nullptr, INT64_MAX));
    clock.AdvanceNs(ConcurrencyGate::kAloneMs * 1'000'000);
    const auto shut = gate.Throttled(reason, nullptr, INT64_MAX);
    return shut ? "open" : shut.error().message;
  };
  const std::string reserved = shut_by("ReservedFunctionConcurrentInvocationLimitExceeded");
  EXPECT_NE(reserved.find("its reserved concurrency is 0"), std::string::npos);
  EXPECT_EQ(reserved.find("account"), std::string::npos) << reserved;
  const std::string account = shut_by("ConcurrentInvocationLimitExceeded");
  EXPECT_NE(account.find("account's concurrency"), std::string::npos);
  EXPECT_EQ(account.find("reserved"), std::string::npos) << account;
  EXPECT_NE(shut_by("").find("reserved concurrency is 0, or others"), std::string::npos);
}

TEST(ConcurrencyGate, StaysOpenWhileOursRun) {
  FakeClock clock;
  ConcurrencyGate gate(100, clock);
  ASSERT_TRUE(gate.Enter(nullptr, INT64_MAX));
  ASSERT_TRUE(gate.Enter(nullptr, INT64_MAX));
  std::thread throttled([&] { EXPECT_TRUE(gate.Throttled("", nullptr, INT64_MAX)); });
  while (gate.in_flight() > 1) std::this_thread::yield();
  clock.AdvanceNs(ConcurrencyGate::kAloneMs * 2'000'000);
  gate.Leave(true);
  throttled.join();
  EXPECT_EQ(gate.in_flight(), 1);
}

TEST(ConcurrencyGate, StaysOpenWhenThrottlesAreFarBetween) {
  FakeClock clock;
  ConcurrencyGate gate(100, clock);
  ASSERT_TRUE(gate.Enter(nullptr, INT64_MAX));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(gate.Throttled("", nullptr, INT64_MAX));
    clock.AdvanceNs((ConcurrencyGate::kApartMs + 1) * 1'000'000);
  }
}

TEST(ConcurrencyGate, WaitingEndsByCancellationAndDeadline) {
  ConcurrencyGate gate(1, SystemClock());
  ASSERT_TRUE(gate.Enter(nullptr, INT64_MAX));
  const auto late = gate.Enter(nullptr, SystemClock().MonotonicNs());
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadline);
  const auto cancelled = gate.Enter([] { return true; }, INT64_MAX);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Code::kCancelled);
  gate.Leave(false);
  EXPECT_EQ(gate.in_flight(), 0);
  EXPECT_TRUE(gate.Enter(nullptr, INT64_MAX));
}

}  // namespace
}  // namespace llama::aws
