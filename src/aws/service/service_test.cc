#include "aws/service/service.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "aws/http/uplink.h"
#include "aws/service/retry_policy.h"
#include "aws/service/service_testing.h"

namespace llama::aws {
namespace {

TEST_F(ServiceTest, SignsForItsHostAndSendsTheTargetAsItIs) {
  ServiceCall call = Post();
  call.host_prefix = "bucket.";
  const auto answer = service_->Call(call);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->http.body, "fine");
  EXPECT_EQ(answer->attempts, 1);
  ASSERT_EQ(sender_.sent.size(), 1u);
  EXPECT_EQ(sender_.sent[0].url, "https://bucket.lambda.test:8443/path?q=secret");
  EXPECT_EQ(sender_.Header(0, "Host"), "bucket.lambda.test:8443");
  EXPECT_NE(sender_.Header(0, "Authorization").find("Credential=AKID1/"), std::string::npos);
  EXPECT_NE(sender_.Header(0, "Authorization").find("/eu-west-1/lambda/"), std::string::npos);
}

TEST_F(ServiceTest, AnonymousCallsAreNotSigned) {
  options_.anonymous = true;
  credentials_.failure = Error{Code::kNotFound, "none"};
  Restart();
  ASSERT_TRUE(service_->Call(Post()));
  EXPECT_EQ(sender_.Header(0, "Authorization"), "");
}

struct Case {
  const char* name;
  Reply reply;  // the first; what follows is 200
  bool idempotent;
  int attempts;  // that are made
  int code;      // -1: an answer
  int64_t least_wait_ms = 0;
};

TEST_F(ServiceTest, RetriesWhatMayPassAndNothingElse) {
  constexpr int kAnswer = -1;
  constexpr int kGivenUp = static_cast<int>(Code::kUnavailable);
  constexpr int kDeadline = static_cast<int>(Code::kDeadline);
  const Reply kNow = Status(200);
  const std::string kDate = "Wed, 21 Oct 2015 07:28:00 GMT";
  const Case kCases[] = {
      {"success", Status(200), true, 1, kAnswer},
      {"not found is an answer", Status(404), true, 1, kAnswer},
      {"precondition is an answer", Status(412), true, 1, kAnswer},
      {"not implemented is an answer", Status(501), true, 1, kAnswer},
      {"denied is an answer", Status(403, "<Error><Code>AccessDenied</Code></Error>"), true, 1,
       kAnswer},
      {"redirect is an answer", Status(307), true, 1, kAnswer},
      {"500", Status(500), true, 2, kAnswer},
      {"502", Status(502), true, 2, kAnswer},
      {"503", Status(503), true, 2, kAnswer},
      {"504", Status(504), true, 2, kAnswer},
      {"500, not idempotent", Status(500), false, 1, kGivenUp},
      {"503 SlowDown was not begun", Status(503, "<Error><Code>SlowDown</Code></Error>"), false, 2,
       kAnswer},
      {"429 was not begun", Status(429), false, 2, kAnswer},
      {"a throttle as 400", Status(400, R"({"__type":"ThrottlingException"})"), false, 2, kAnswer},
      {"S3's timeout as 400", Status(400, "<Error><Code>RequestTimeout</Code></Error>"), true, 2,
       kAnswer},
      {"Retry-After in seconds", Status(503, "", {{"retry-after", "3"}}), true, 2, kAnswer, 3'000},
      {"Retry-After as a date",
       Status(503, "", {{"retry-after", "Wed, 21 Oct 2015 07:28:04 GMT"}, {"date", kDate}}), true,
       2, kAnswer, 4'000},
      {"Retry-After that is longer than patience", Status(503, "", {{"retry-after", "600"}}), true,
       1, kGivenUp},
      {"Retry-After that is nonsense", Status(503, "", {{"retry-after", "soon"}}), true, 2,
       kAnswer},
      {"Lambda's retryAfterSeconds", Status(429, R"({"Reason":"x","retryAfterSeconds":"2"})"),
       false, 2, kAnswer, 2'000},
      {"reset", Fails(Code::kUnavailable), true, 2, kAnswer},
      {"reset, not idempotent", Fails(Code::kUnavailable), false, 1, kGivenUp},
      {"no connection, not idempotent", Fails(Code::kUnavailable, false), false, 2, kAnswer},
      {"timeout", Fails(Code::kDeadline), true, 2, kAnswer},
      {"timeout, not idempotent", Fails(Code::kDeadline), false, 1, kDeadline},
      {"wrong certificate", Fails(Code::kInvalid), true, 1, static_cast<int>(Code::kInvalid)},
      {"cancelled", Fails(Code::kCancelled), true, 1, static_cast<int>(Code::kCancelled)},
  };
  for (const Case& c : kCases) {
    Restart();
    sender_.sent.clear();
    sender_.replies = {c.reply};
    paused_ms_ = 0;
    ServiceCall call = Post();
    call.idempotent = c.idempotent;
    const auto answer = service_->Call(call);
    EXPECT_EQ(sender_.sent.size(), static_cast<size_t>(c.attempts)) << c.name;
    ASSERT_EQ(answer ? kAnswer : static_cast<int>(answer.error().code), c.code) << c.name;
    EXPECT_GE(paused_ms_, c.least_wait_ms) << c.name;
    EXPECT_LE(paused_ms_, c.least_wait_ms + options_.base_delay_ms) << c.name;
    if (!answer) {
      EXPECT_EQ(answer.error().message.find("secret"), std::string::npos) << answer.error().message;
    }
  }
}

TEST_F(ServiceTest, GivesUpAfterSomeAttemptsAndSaysWhy) {
  sender_.otherwise = Status(503, "<Error><Code>Busy</Code><Message>later</Message></Error>");
  const auto answer = service_->Call(Post());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_EQ(answer.error().message,
            "POST https://lambda.test:8443/path: status 503, Busy: later (after 4 attempts)");
  EXPECT_EQ(sender_.sent.size(), 4u);
}

TEST_F(ServiceTest, SignsEachAttemptAnew) {
  sender_.replies = {Status(500, "", {{"retry-after", "2"}})};
  ASSERT_TRUE(service_->Call(Post()));
  EXPECT_NE(sender_.Header(0, "X-Amz-Date"), "");
  EXPECT_NE(sender_.Header(0, "X-Amz-Date"), sender_.Header(1, "X-Amz-Date"));
}

TEST_F(ServiceTest, TheTotalLimitCoversAllAttemptsAndWaits) {
  sender_.otherwise = Status(503, "", {{"retry-after", "4"}});
  sender_.otherwise.takes_ms = 1'000;
  ServiceCall call = Post();
  call.deadlines.total_ms = 10'000;
  const int64_t begun_ns = clock_.MonotonicNs();
  ASSERT_FALSE(service_->Call(call));
  EXPECT_LE(clock_.MonotonicNs() - begun_ns, 11'000 * kMs);
  ASSERT_EQ(sender_.sent.size(), 2u);
  EXPECT_EQ(sender_.sent[0].deadlines.total_ms, 10'000);
  EXPECT_LE(sender_.sent[1].deadlines.total_ms, 5'000);
}

// An answer may take minutes; what fails before one may not.
TEST_F(ServiceTest, WhatFailsHasALimitOfItsOwn) {
  sender_.otherwise = Status(503);
  sender_.otherwise.takes_ms = 3'000;
  ServiceCall call = Post();
  call.deadlines.total_ms = 900'000;
  call.max_failing_ms = 5'000;
  EXPECT_FALSE(service_->Call(call));
  EXPECT_EQ(sender_.sent.size(), 2u);
  Restart();
  sender_.sent.clear();
  sender_.otherwise.takes_ms = 700'000;
  sender_.otherwise.answer.status = 200;
  EXPECT_TRUE(service_->Call(call)) << "an answer is no failure";
}

TEST_F(ServiceTest, WaitingCanBeCancelled) {
  sender_.otherwise = Status(503, "", {{"retry-after", "5"}});
  ServiceCall call = Post();
  call.deadlines.total_ms = 0;
  call.cancelled = [&] { return paused_ms_ > 200; };
  const auto answer = service_->Call(call);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kCancelled);
  EXPECT_LE(paused_ms_, 300);
}

TEST_F(ServiceTest, RenewsCredentialsOnce) {
  const char* kBodies[] = {"<Error><Code>ExpiredToken</Code></Error>",
                           R"({"__type":"ExpiredTokenException","message":"x"})",
                           R"({"message":"x","code":"RequestExpired"})",
                           ("<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error>"
                            "</ErrorResponse>")};
  for (const char* body : kBodies) {
    Restart();
    credentials_ = {};
    sender_.sent.clear();
    sender_.replies = {Status(403, body)};
    const auto answer = service_->Call(Post());
    ASSERT_TRUE(answer) << body << answer.error().message;
    EXPECT_EQ(credentials_.refused, 1);
    EXPECT_NE(sender_.Header(1, "Authorization").find("AKID2"), std::string::npos);
    EXPECT_EQ(paused_ms_, 0);
  }
}

TEST_F(ServiceTest, CredentialsThatStayRefusedAreAnErrorThatNamesThem) {
  sender_.otherwise = Status(400, "<Error><Code>ExpiredToken</Code></Error>");
  const auto answer = service_->Call(Post());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kInvalid);
  EXPECT_NE(answer.error().message.find("the credentials from the test"), std::string::npos);
  EXPECT_EQ(sender_.sent.size(), 2u);
  EXPECT_EQ(service_->Outage(), "");
}

TEST_F(ServiceTest, NoCredentialsIsInvalidWithoutARequest) {
  credentials_.failure = Error{Code::kNotFound, "no credentials: looked here and there"};
  const auto answer = service_->Call(Post());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kInvalid);
  EXPECT_EQ(answer.error().message, "no credentials: looked here and there");
  EXPECT_TRUE(sender_.sent.empty());
}

TEST_F(ServiceTest, CredentialsWhoseSourceIsDownAreTriedWithinBounds) {
  credentials_.failure = Error{Code::kUnavailable, "metadata service: no answer"};
  const auto answer = service_->Call(Post());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_TRUE(sender_.sent.empty());
}

TEST_F(ServiceTest, LearnsTheServersClock) {
  const std::string kBody = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
  // The fake clock stands at 2020-09-13T12:26:40Z.
  sender_.replies = {Status(403, kBody, {{"date", "Sun, 13 Sep 2020 13:26:40 GMT"}})};
  ASSERT_TRUE(service_->Call(Post()));
  EXPECT_TRUE(sender_.Header(0, "X-Amz-Date").starts_with("20200913T1226"));
  EXPECT_TRUE(sender_.Header(1, "X-Amz-Date").starts_with("20200913T1326"));
  ASSERT_TRUE(service_->Call(Post()));
  EXPECT_TRUE(sender_.Header(2, "X-Amz-Date").starts_with("20200913T1326"));
}

TEST_F(ServiceTest, ASignatureThatDoesNotMatchForAnotherReasonIsAnAnswer) {
  const std::string kBody = "<Error><Code>SignatureDoesNotMatch</Code></Error>";
  sender_.otherwise = Status(403, kBody, {{"date", "Sun, 13 Sep 2020 12:26:41 GMT"}});
  const auto answer = service_->Call(Post());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->http.status, 403);
  EXPECT_EQ(sender_.sent.size(), 1u);
}

// Two requests of 10 ms that failed and one that was throttled, each with a wait after it. Who does
// not look after throttles himself takes them for failures.
TEST_F(ServiceTest, TellsWhatFailedFromWhatWaitedItsTurn) {
  sender_.replies = {Status(500), Status(500), Status(429, "", {{"retry-after", "3"}})};
  const auto replies = sender_.replies;
  ServiceCall call = Post();
  call.idempotent = true;
  store::Retries all;
  call.retries = &all;
  const Result<ServiceAnswer> told = service_->Call(call);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->waited_ns, 0);
  EXPECT_EQ(all.requests(), 3u);
  EXPECT_EQ(all.ns(), (30 + paused_ms_) * kMs);

  paused_ms_ = 0;
  sender_.replies = replies;
  store::Retries retries;
  call.retries = &retries;
  call.on_throttled = [](const std::string&) { return Result<void>(); };
  const Result<ServiceAnswer> answer = service_->Call(call);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->attempts, 4);
  EXPECT_EQ(retries.requests(), 2u);
  EXPECT_GE(answer->waited_ns, 3'000 * kMs);
  EXPECT_GE(retries.ns(), 20 * kMs);
  EXPECT_EQ(answer->waited_ns + retries.ns(), (20 + paused_ms_) * kMs);
}

TEST_F(ServiceTest, TheRetryBudgetEndsRetriesWhenAllFails) {
  sender_.otherwise = Status(500);
  options_.breaker_failures = 1'000'000;
  Restart();
  for (int i = 0; i < 200; ++i) ASSERT_FALSE(service_->Call(Post()));
  EXPECT_EQ(sender_.sent.size(), 200u + 100u);  // 500 tokens, 5 a retry
  sender_.otherwise = Status(200);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(service_->Call(Post()));
  sender_.sent.clear();
  sender_.replies = {Status(500)};
  ASSERT_TRUE(service_->Call(Post()));
  EXPECT_EQ(sender_.sent.size(), 2u);
}

TEST_F(ServiceTest, ThrottlesAreFreeOfTheBudgetAndTriedForLonger) {
  sender_.otherwise = Status(429);
  options_.breaker_failures = 1'000'000;
  Restart();
  for (int i = 0; i < 30; ++i) ASSERT_FALSE(service_->Call(Post()));
  EXPECT_EQ(sender_.sent.size(), 300u);
}

TEST_F(ServiceTest, ACallerThatWaitsOutThrottlesIsTriedUntilItsDeadline) {
  sender_.replies = std::deque<Reply>(50, Status(429));
  ServiceCall call = Post();
  int told = 0;
  call.on_throttled = [&](const std::string&) -> Result<void> {
    ++told;
    return {};
  };
  call.deadlines.total_ms = 900'000;
  const auto answer = service_->Call(call);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(told, 50);
  EXPECT_EQ(answer->attempts, 51);

  sender_.replies = {Status(429)};
  store::Retries retries;
  call.retries = &retries;
  call.on_throttled = [](const std::string&) -> Result<void> {
    return Error{Code::kCancelled, "enough"};
  };
  const auto ended = service_->Call(call);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::kCancelled);
}

TEST_F(ServiceTest, LargeBodiesPassThroughTheUplink) {
  Uplink uplink(clock_);
  options_.uplink = &uplink;
  Restart();
  const std::string body(100'000, 'x');
  ServiceCall call = Post();
  call.body = body;
  sender_.otherwise.takes_ms = 1'000;
  ASSERT_TRUE(service_->Call(call));
  // 100 kB in a second: half a second's worth, at least the least window.
  EXPECT_EQ(uplink.window_bytes(), UplinkWindow::kMinWindow);
  sender_.otherwise = Fails(Code::kUnavailable);
  ASSERT_FALSE(service_->Call(call));
  EXPECT_EQ(sender_.bodies.back(), body);
}

TEST(Backoff, StaysWithinFullJittersBounds) {
  Backoff backoff(50, 5'000, 7);
  int64_t least = INT64_MAX;
  int64_t most = 0;
  for (int i = 0; i < 1'000; ++i) {
    const int64_t ms = backoff.NextMs(3, 0);
    least = std::min(least, ms);
    most = std::max(most, ms);
  }
  EXPECT_GE(least, 0);
  EXPECT_LT(least, 40);
  EXPECT_LE(most, 400);
  EXPECT_GT(most, 360);
  for (int retry : {10, 63, 1'000'000}) EXPECT_LE(backoff.NextMs(retry, 0), 5'000);
  EXPECT_GE(backoff.NextMs(0, 2'000), 2'000);
}

}  // namespace
}  // namespace llama::aws
