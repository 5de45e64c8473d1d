#include "aws/lambda/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "aws/lambda/concurrency_gate.h"
#include "aws/lambda/log_report.h"
#include "aws/lambda/silence_watch.h"
#include "job/base64.h"
#include "job/envelope.h"
#include "job/invocation_testing.h"
#include "signing/sigv4.h"

namespace llama::aws {
namespace {

using job::DetailOf;
using job::HasDetail;

constexpr char kReport[] =
    "START RequestId: x\nEND RequestId: x\n"
    "REPORT RequestId: x\tDuration: 12.34 ms\tBilled Duration: 113 ms\tMemory Size: 3008 MB\t"
    "Max Memory Used: 50 MB\tInit Duration: 100.50 ms\t\n";

std::string Base64(std::string_view text) {
  std::string out;
  job::AppendBase64(out, text);
  return out;
}

// Answers as a Service does, after its retries.
class FakeLambda final : public Service {
 public:
  Result<ServiceAnswer> Call(const ServiceCall& call) override {
    target = call.target;
    headers = call.headers;
    deadlines = call.deadlines;
    body = call.body;
    for (; throttles > 0; --throttles) TRY(call.on_throttled(""));
    if (error) return *error;
    ServiceAnswer out;
    out.http = answer;
    out.attempts = 3;
    return out;
  }
  const ServiceOptions& options() const override { return options_; }

  void AnswerWith(const job::Envelope& envelope, Headers with = {}) {
    answer.status = 200;
    answer.body = job::EncodeEnvelope(envelope);
    answer.headers = std::move(with);
  }

  std::string target;
  Headers headers;
  HttpDeadlines deadlines;
  std::string body;
  HttpAnswer answer;
  std::optional<Error> error;
  int throttles = 0;

 private:
  ServiceOptions options_{
      .name = "lambda", .region = "eu-west-1", .endpoint = "https://lambda.test", .pause = {}};
};

class LambdaFunctionsTest : public testing::Test {
 protected:
  LambdaFunctionsTest() {
    options_.function = "llama";
    options_.store_location = "s3://bucket?region=eu-west-1";
    lambda_.AnswerWith({.bytes = "answer", .key = "", .sha256 = "", .store = ""});
  }
  Result<job::Invocation> Invoke(std::string_view payload, int64_t timeout_ms = 5'000) {
    auto client = NewLambdaFunctions(options_, lambda_, *store_, SystemClock());
    EXPECT_TRUE(client) << client.error().message;
    job::InvokeOptions options;
    options.timeout_ms = timeout_ms;
    return (*client)->Invoke(payload, options);
  }

  FakeLambda lambda_;
  std::unique_ptr<store::ObjectStore> store_ = store::NewMemoryStore();
  LambdaFunctionsOptions options_;
};

TEST_F(LambdaFunctionsTest, PingsByADryRun) {
  auto client = NewLambdaFunctions(options_, lambda_, *store_, SystemClock());
  ASSERT_TRUE(client) << client.error().message;
  ASSERT_TRUE((*client)->Ping({.timeout_ms = 5'000, .cancelled = {}}));
  EXPECT_EQ(lambda_.target, "/2015-03-31/functions/llama/invocations");
  EXPECT_EQ(lambda_.body, "");
  EXPECT_NE(std::find(lambda_.headers.begin(), lambda_.headers.end(),
                      std::pair<std::string, std::string>("X-Amz-Invocation-Type", "DryRun")),
            lambda_.headers.end());
  lambda_.error = Error{Code::kUnavailable, "down"};
  EXPECT_FALSE((*client)->Ping({.timeout_ms = 5'000, .cancelled = {}}));
}

TEST_F(LambdaFunctionsTest, InvokesByEnvelopeAndGivesTheAnswersPayload) {
  const auto invocation = Invoke("job");
  ASSERT_TRUE(invocation) << invocation.error().message;
  EXPECT_EQ(invocation->payload, "answer");
  EXPECT_EQ(invocation->requests, 3);
  EXPECT_EQ(invocation->store_puts, 0u);
  EXPECT_EQ(lambda_.target, "/2015-03-31/functions/llama/invocations");
  EXPECT_EQ(lambda_.deadlines.first_byte_ms, 0);
  EXPECT_LE(lambda_.deadlines.total_ms, 5'000);
  const auto sent = job::DecodeEnvelope(lambda_.body);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->bytes, "job");
  EXPECT_EQ(sent->store, "s3://bucket?region=eu-west-1");
  EXPECT_GT(sent->max_answer, 6'000'000u);
}

TEST_F(LambdaFunctionsTest, TakesFiguresFromTheReport) {
  lambda_.AnswerWith({.bytes = "a", .key = "", .sha256 = "", .store = ""},
                     {{"x-amz-log-result", Base64(kReport)}});
  const auto invocation = Invoke("job");
  ASSERT_TRUE(invocation);
  EXPECT_EQ(DetailOf(*invocation, "billed_ms"), 113);
  EXPECT_FALSE(HasDetail(*invocation, "billed_estimated"));
  EXPECT_EQ(DetailOf(*invocation, "memory_mb"), 3'008);
  EXPECT_TRUE(invocation->cold_start);
  EXPECT_EQ(invocation->init_ns, 100'500'000);
}

// Moves nothing until who waits for it gives up.
class StandingStore final : public store::ObjectStore {
 public:
  explicit StandingStore(FakeClock& clock) : clock_(clock) {}
  Result<bool> Put(const std::string&, std::string_view, const store::PutOptions& o) override {
    return Stand(o.cancelled);
  }
  Result<std::string> Get(const std::string& key) override { return GetWith(key, {}); }
  Result<std::string> GetWith(const std::string&, const store::GetOptions& o) override {
    return Stand(o.cancelled);
  }
  Result<bool> Exists(const std::string&) override { return false; }
  Result<void> Delete(const std::string&) override { return {}; }

 private:
  Error Stand(const std::function<bool()>& cancelled) {
    for (int s = 0; s < 900 && !(cancelled && cancelled()); ++s) clock_.AdvanceNs(1'000'000'000);
    return {Code::kCancelled, "cancelled"};
  }
  FakeClock& clock_;
};

TEST_F(LambdaFunctionsTest, APayloadsWayThroughTheStoreIsNotTheRun) {
  FakeClock clock;
  StandingStore store(clock);
  auto client = NewLambdaFunctions(options_, lambda_, store, clock);
  ASSERT_TRUE(client) << client.error().message;
  lambda_.AnswerWith(
      {.bytes = "", .key = "answers/1", .sha256 = std::string(64, '0'), .store = ""});
  for (const size_t payload_bytes : {size_t{10}, size_t{10} << 20}) {
    const int64_t begun_ns = clock.MonotonicNs();
    job::InvokeOptions options;
    options.overhead_ms = 20'000;
    const auto invocation = (*client)->Invoke(std::string(payload_bytes, 'x'), options);
    ASSERT_FALSE(invocation);
    EXPECT_EQ(invocation.error().code, Code::kDeadline) << invocation.error().message;
    EXPECT_NEAR(static_cast<double>(clock.MonotonicNs() - begun_ns) / 1e9, 20, 1);
  }
}

TEST_F(LambdaFunctionsTest, EstimatesWhatIsBilledWithoutAReport) {
  lambda_.answer.connect_ns = 20'000'000;
  lambda_.answer.first_byte_ns = 520'100'000;
  for (const char* tail : {"", "not base64", "aGVsbG8="}) {
    lambda_.answer.headers = {{"x-amz-log-result", tail}};
    const auto invocation = Invoke("job");
    ASSERT_TRUE(invocation);
    EXPECT_EQ(DetailOf(*invocation, "billed_ms"), 501);
    EXPECT_TRUE(HasDetail(*invocation, "billed_estimated"));
    EXPECT_EQ(DetailOf(*invocation, "memory_mb"), options_.memory_mb);
    EXPECT_FALSE(invocation->cold_start);
  }
}

TEST_F(LambdaFunctionsTest, LargePayloadsGoThroughTheStore) {
  const std::string job(5'000'000, 'j');  // 6.7 MB in base64
  const auto invocation = Invoke(job);
  ASSERT_TRUE(invocation);
  EXPECT_EQ(invocation->store_puts, 1u);
  EXPECT_LT(lambda_.body.size(), 1'000u);
  const auto sent = job::DecodeEnvelope(lambda_.body);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->key, "jobs/" + signing::Sha256Hex(job));
  EXPECT_EQ(*store_->Get(sent->key), job);
}

TEST_F(LambdaFunctionsTest, LargeAnswersComeThroughTheStoreAndAreDeleted) {
  const std::string sha256 = signing::Sha256Hex("large");
  ASSERT_TRUE(store_->Put("answers/" + sha256, "large"));
  lambda_.AnswerWith({.bytes = "", .key = "answers/" + sha256, .sha256 = sha256, .store = ""});
  const auto invocation = Invoke("job");
  ASSERT_TRUE(invocation) << invocation.error().message;
  EXPECT_EQ(invocation->payload, "large");
  EXPECT_EQ(invocation->store_gets, 1u);
  EXPECT_FALSE(*store_->Exists("answers/" + sha256));
}

TEST_F(LambdaFunctionsTest, AnswersThatNameWrongObjectsAreErrors) {
  const std::string sha256 = signing::Sha256Hex("right");
  ASSERT_TRUE(store_->Put("answers/damaged", "wrong"));
  ASSERT_TRUE(store_->Put("layers/precious", "right"));
  struct Case {
    const char* key;
    Code code;
  };
  for (const Case& c :
       {Case{"answers/damaged", Code::kUnavailable}, Case{"answers/absent", Code::kNotFound},
        Case{"layers/precious", Code::kRemoteFailed}}) {
    lambda_.AnswerWith({.bytes = "", .key = c.key, .sha256 = sha256, .store = ""});
    const auto invocation = Invoke("job");
    ASSERT_FALSE(invocation) << c.key;
    EXPECT_EQ(invocation.error().code, c.code) << invocation.error().message;
  }
  EXPECT_TRUE(*store_->Exists("layers/precious"));
}

TEST_F(LambdaFunctionsTest, SaysWhatWentWrongInTheFunction) {
  struct Case {
    const char* body;
    Code code;
    const char* says;
  };
  const Case kCases[] = {
      {R"({"errorType":"Runtime.ExitError","errorMessage":"RequestId: x Error: Runtime exited with error: exit status 1"})",
       Code::kUnavailable, "the worker vanished: Runtime exited with error: exit status 1"},
      {R"({"errorType":"Runtime.ExitError","errorMessage":"RequestId: x Error: Runtime exited with error: signal: killed"})",
       Code::kUnavailable, "vanished"},
      {R"({"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: x Error: signal: killed"})",
       Code::kRemoteFailed, "out of memory"},
      {R"({"errorType":"Sandbox.Timedout","errorMessage":"RequestId: x Error: Task timed out after 3.00 seconds"})",
       Code::kDeadline, "Task timed out after 3.00 seconds"},
      {R"({"errorMessage":"2024-01-01T00:00:00Z x Task timed out after 3.00 seconds"})",
       Code::kDeadline, "--timeout"},
      {R"({"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: x Error: fork/exec /var/task/bootstrap: exec format error"})",
       Code::kRemoteFailed, "exec format error"},
      {R"({"errorType":"Llama.Refused","errorMessage":"no\nroom"})", Code::kRemoteFailed,
       "Llama.Refused: no room"},
      {"", Code::kRemoteFailed, "without saying why"},
      {"null", Code::kRemoteFailed, "without saying why"},
      {R"({"errorType":5,"errorMessage":[]})", Code::kRemoteFailed, "without saying why"},
  };
  for (const Case& c : kCases) {
    lambda_.answer.body = c.body;
    lambda_.answer.headers = {{"x-amz-function-error", "Unhandled"}};
    const auto invocation = Invoke("job");
    ASSERT_FALSE(invocation) << c.body;
    EXPECT_EQ(invocation.error().code, c.code) << invocation.error().message;
    EXPECT_NE(invocation.error().message.find(c.says), std::string::npos)
        << invocation.error().message;
    EXPECT_TRUE(invocation.error().message.starts_with("function llama: "));
  }
}

TEST_F(LambdaFunctionsTest, AWorkerKilledWithItsMemoryFullRanOutOfIt) {
  lambda_.answer.body =
      R"({"errorType":"Runtime.ExitError","errorMessage":"Runtime exited with error: signal: killed"})";
  lambda_.answer.headers = {
      {"x-amz-function-error", "Unhandled"},
      {"x-amz-log-result",
       Base64("REPORT RequestId: x\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t\n")}};
  const auto invocation = Invoke("job");
  ASSERT_FALSE(invocation);
  EXPECT_EQ(invocation.error().code, Code::kRemoteFailed);
  EXPECT_NE(invocation.error().message.find("out of memory (128 MB)"), std::string::npos);
}

TEST_F(LambdaFunctionsTest, RefusalsSayWhatHelps) {
  struct Case {
    int status;
    Code code;
    const char* says;
  };
  for (const Case& c :
       {Case{404, Code::kNotFound, "llama bootstrap"}, Case{403, Code::kInvalid, "--policy"},
        Case{409, Code::kUnavailable, "ready"}, Case{413, Code::kInvalid, "status 413, X: why"}}) {
    lambda_.answer.status = c.status;
    lambda_.answer.body = R"({"code":"X","message":"why"})";
    const auto invocation = Invoke("job");
    ASSERT_FALSE(invocation);
    EXPECT_EQ(invocation.error().code, c.code);
    EXPECT_NE(invocation.error().message.find(c.says), std::string::npos)
        << invocation.error().message;
  }
}

TEST_F(LambdaFunctionsTest, AnAnswerThatIsNoEnvelopeIsAnotherFunctions) {
  for (const char* body : {"", "{}", "\"hello\"", "{\"statusCode\":200}", "\xff"}) {
    lambda_.answer.body = body;
    const auto invocation = Invoke("job");
    ASSERT_FALSE(invocation) << body;
    EXPECT_EQ(invocation.error().code, Code::kRemoteFailed);
  }
}

TEST_F(LambdaFunctionsTest, ThrottledInvocationsTakeTheirPlaceAgain) {
  lambda_.throttles = 5;
  const auto invocation = Invoke("job");
  EXPECT_TRUE(invocation) << invocation.error().message;
}

TEST(FunctionName, IsTakenApart) {
  struct Case {
    const char* text;
    const char* name;
    const char* qualifier;
  };
  const Case kCases[] = {
      {"llama", "llama", ""},
      {"llama:prod", "llama", "prod"},
      {"llama:$LATEST", "llama", "$LATEST"},
      {"123456789012:function:llama", "123456789012:function:llama", ""},
      {"123456789012:function:llama:7", "123456789012:function:llama", "7"},
      {"arn:aws:lambda:eu-west-1:123456789012:function:llama",
       "arn:aws:lambda:eu-west-1:123456789012:function:llama", ""},
      {"arn:aws:lambda:eu-west-1:123456789012:function:llama:prod",
       "arn:aws:lambda:eu-west-1:123456789012:function:llama", "prod"},
  };
  for (const Case& c : kCases) {
    const auto name = ParseFunctionName(c.text);
    ASSERT_TRUE(name) << c.text;
    EXPECT_EQ(*name, (FunctionName{c.name, c.qualifier})) << c.text;
  }
  for (const char* text : {"", ":", "a:", ":a", "a b", "a/b", "a:b:c", "arn:aws:s3:::bucket",
                           "arn:aws:lambda:eu-west-1:1:layer:x", "../x", "a?b"}) {
    EXPECT_FALSE(ParseFunctionName(text)) << text;
  }
}

TEST(LambdaReport, SurvivesAnyLog) {
  EXPECT_FALSE(FindReport(""));
  EXPECT_FALSE(FindReport("START\nEND\n"));
  for (const char* log : {"REPORT RequestId:", "REPORT RequestId: x\tBilled Duration: ",
                          "REPORT RequestId: x\tBilled Duration: nan ms",
                          "REPORT RequestId: x\tBilled Duration: 1e300 ms",
                          "REPORT RequestId: x\tBilled Duration: -5 ms"}) {
    const auto report = FindReport(log);
    ASSERT_TRUE(report) << log;
    EXPECT_EQ(report->billed_ms, 0) << log;
  }
}

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

// Says of itself what a test wants.
class SilentService final : public Service {
 public:
  Result<ServiceAnswer> Call(const ServiceCall&) override {
    return Error{Code::kDeadline, "no answer"};
  }
  std::string Outage() override { return is_down ? "no answer" : ""; }
  int64_t last_answer_ns() const override { return answered_ns; }
  int unanswered() const override { return asked; }
  const ServiceOptions& options() const override { return options_; }

  std::atomic<int> asked = 0;
  std::atomic<bool> is_down = false;
  std::atomic<int64_t> answered_ns = 0;

 private:
  ServiceOptions options_;
};

TEST(SilenceWatch, AsksWhileAnInvocationIsUnderWayAndNothingComes) {
  FakeClock clock;
  SilentService service;
  SilenceWatch watch(service, clock, [&] {
    ++service.asked;
    service.answered_ns = clock.MonotonicNs();
  });
  clock.AdvanceNs(SilenceWatch::kSilentMs * 5'000'000);
  {
    const SilenceWatch::Invocation invocation(watch);
    EXPECT_EQ(service.asked, 0) << "silence counts from its beginning";
    clock.AdvanceNs(SilenceWatch::kSilentMs * 1'000'000);
    while (service.asked == 0) std::this_thread::yield();
  }
  EXPECT_EQ(service.asked, 1) << "it was answered";
}

TEST(SilenceWatch, AnEndpointIsMuteWhenDryRunsAreNotAnsweredAndTheCircuitIsOpen) {
  FakeClock clock;
  SilentService service;
  SilenceWatch watch(service, clock, [&] { ++service.asked; });
  const SilenceWatch::Invocation invocation(watch);
  clock.AdvanceNs(SilenceWatch::kSilentMs * 1'000'000);
  while (service.asked < SilenceWatch::kUnanswered) std::this_thread::yield();
  EXPECT_FALSE(watch.is_mute());
  service.is_down = true;
  EXPECT_TRUE(watch.is_mute());
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
