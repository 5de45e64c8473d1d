// The circuit of a Service: what opens it, and what closes it.
#include <gtest/gtest.h>

#include <utility>

#include "aws/service/service_testing.h"

namespace llama::aws {
namespace {

using CircuitTest = ServiceTest;

TEST_F(CircuitTest, TheCircuitOpensAndOneCallInATimeTries) {
  sender_.otherwise = Fails(Code::kUnavailable);
  while (sender_.sent.size() < static_cast<size_t>(options_.breaker_failures)) {
    EXPECT_EQ(service_->Outage(), "");
    ASSERT_FALSE(service_->Call(Post()));
  }
  EXPECT_EQ(sender_.sent.size(), static_cast<size_t>(options_.breaker_failures))
      << "attempts count, whichever calls they belong to";
  sender_.sent.clear();
  EXPECT_NE(service_->Outage(), "");
  const auto refused = service_->Call(Post());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_TRUE(sender_.sent.empty());

  clock_.AdvanceNs(options_.breaker_open_ms * kMs);
  ASSERT_FALSE(service_->Call(Post()));
  EXPECT_EQ(sender_.sent.size(), 1u) << "a probe is one attempt";
  ASSERT_FALSE(service_->Call(Post()));
  EXPECT_EQ(sender_.sent.size(), 1u);

  clock_.AdvanceNs(options_.breaker_open_ms * kMs);
  sender_.otherwise = Status(200);
  ASSERT_TRUE(service_->Call(Post()));
  EXPECT_EQ(service_->Outage(), "");
  ASSERT_TRUE(service_->Call(Post()));
}

TEST_F(CircuitTest, WhatCostsSecondsOrIsNoServiceOpensTheCircuitSooner) {
  const std::pair<const char*, Reply> kReplies[] = {{"timeout", Fails(Code::kDeadline)},
                                                    {"redirect", Status(307)},
                                                    {"flood", Fails(Code::kInvalid)}};
  for (const auto& [name, reply] : kReplies) {
    Restart();
    sender_.sent.clear();
    sender_.otherwise = reply;
    while (service_->Outage().empty() && sender_.sent.size() < 10) {
      (void)service_->Call(Post()).has_value();
    }
    EXPECT_EQ(sender_.sent.size(), 2u) << name;
  }
}

TEST_F(CircuitTest, WhereSilenceIsWorkTimeThatIsUpCountsOnce) {
  sender_.otherwise = Fails(Code::kDeadline);
  ServiceCall call = Post();
  call.idempotent = false;
  call.deadlines.first_byte_ms = 0;
  for (int i = 0; i < options_.breaker_failures; ++i) {
    EXPECT_EQ(service_->Outage(), "");
    ASSERT_FALSE(service_->Call(call));
  }
  EXPECT_NE(service_->Outage(), "");
}

TEST_F(CircuitTest, ThrottlesThatNobodyWaitsOutOpenTheCircuit) {
  sender_.otherwise = Status(503, "<Error><Code>SlowDown</Code></Error>");
  ASSERT_FALSE(service_->Call(Post()));
  EXPECT_EQ(sender_.sent.size(), static_cast<size_t>(options_.breaker_failures));
  EXPECT_NE(service_->Outage(), "");
}

TEST_F(CircuitTest, CountsWhatIsNotAnsweredAtAll) {
  EXPECT_EQ(service_->last_answer_ns(), 0);
  sender_.otherwise = Fails(Code::kUnavailable);
  ASSERT_FALSE(service_->Call(Post()));
  EXPECT_EQ(service_->unanswered(), 4);
  sender_.otherwise = Fails(Code::kCancelled);
  ASSERT_FALSE(service_->Call(Post()));
  EXPECT_EQ(service_->unanswered(), 4);
  sender_.otherwise = Status(403);
  clock_.AdvanceNs(kMs);
  ASSERT_TRUE(service_->Call(Post()));
  EXPECT_EQ(service_->unanswered(), 0);
  EXPECT_EQ(service_->last_answer_ns(), clock_.MonotonicNs());
}

TEST_F(CircuitTest, AnswersOfAnyKindCloseTheCircuitAndCancellationsDoNotOpenIt) {
  for (int i = 0; i < 50; ++i) {
    sender_.otherwise = i % 2 == 1 ? Status(412) : Fails(Code::kUnavailable);
    (void)service_->Call(Post()).has_value();
  }
  EXPECT_EQ(service_->Outage(), "");
  sender_.otherwise = Fails(Code::kCancelled);
  for (int i = 0; i < 50; ++i) ASSERT_FALSE(service_->Call(Post()));
  EXPECT_EQ(service_->Outage(), "");
}

TEST_F(CircuitTest, RefusalsOpenTheCircuitUntilOneIsNone) {
  for (const int status : {403, 404}) {
    Restart();
    sender_.otherwise = Status(status, "<Error><Code>NoSuchBucket</Code></Error>");
    for (int i = 0; i < options_.breaker_failures; ++i) {
      EXPECT_EQ(service_->Outage(), "");
      const auto answer = service_->Call(Post());
      ASSERT_TRUE(answer) << "it is the caller's to judge";
      EXPECT_EQ(answer->http.status, status);
    }
    EXPECT_NE(service_->Outage().find(std::to_string(status) + ", NoSuchBucket"), std::string::npos)
        << service_->Outage();
    ASSERT_FALSE(service_->Call(Post()));
    clock_.AdvanceNs(options_.breaker_open_ms * kMs);
    ASSERT_TRUE(service_->Call(Post())) << "the probe";
    EXPECT_NE(service_->Outage(), "");
    clock_.AdvanceNs(options_.breaker_open_ms * kMs);
    sender_.otherwise = Status(200);
    ASSERT_TRUE(service_->Call(Post()));
    EXPECT_EQ(service_->Outage(), "");
  }
}

TEST_F(CircuitTest, WhatIsNotThereOrNotToBeReadIsNoRefusal) {
  for (const int status : {403, 404}) {
    sender_.otherwise = Status(status);
    ServiceCall call = Post();
    for (const char* method : {"GET", "HEAD"}) {
      call.method = method;
      for (int i = 0; i < 50; ++i) ASSERT_TRUE(service_->Call(call));
    }
    EXPECT_EQ(service_->Outage(), "");
  }
}

}  // namespace
}  // namespace llama::aws
