#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "emulator/lambda/testing.h"
#include "emulator/request/lambda_json.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

using testing::Test;

constexpr char kAll[] =
    "profile = aws\nlambda.cold_start = 0\nlambda.latency = 0\n"
    "lambda.invoke.latency = 0\nlambda.control.latency = 0\n";

void Await(const std::function<bool()>& done) {
  const int64_t end_ns = SystemClock().MonotonicNs() + 20'000'000'000;
  while (!done()) {
    ASSERT_LT(SystemClock().MonotonicNs(), end_ns) << "never happened";
    std::this_thread::yield();
  }
}

std::string TypeOf(const Response& response) {
  const Result<JsonObject> json = JsonObject::Parse(response.body);
  return json ? json->String("errorType").value().value_or("") : response.body;
}

std::string MessageOf(const Response& response) {
  const Result<JsonObject> json = JsonObject::Parse(response.body);
  return json ? json->String("errorMessage").value().value_or("") : response.body;
}

TEST(LambdaInvoke, AnswersAndStaysWarm) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f").status, 201);
  const Response response = world.Invoke("f", "echo hello");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "\"hello\"");
  EXPECT_EQ(HeaderOf(response, "X-Amz-Executed-Version"), "$LATEST");
  EXPECT_EQ(HeaderOf(response, "X-Amz-Function-Error"), "");
  EXPECT_EQ(world.Ask("f", "served"), "2");
  EXPECT_EQ(world.Ask("f", "served"), "3");
  EXPECT_EQ(world.Counter("lambda.cold_starts"), 1);
}

TEST(LambdaInvoke, GivesTheFunctionWhatLambdaGivesIt) {
  LambdaWorld world(kAll);
  ASSERT_EQ(
      world.Create("f", R"(,"MemorySize":256,"Environment":{"Variables":{"MINE":"yes"}})").status,
      201);
  const std::pair<const char*, const char*> wanted[] = {
      {"env AWS_LAMBDA_FUNCTION_NAME", "f"},
      {"env AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"},
      {"env AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"},
      {"env AWS_REGION", "us-east-1"},
      {"env _HANDLER", "fake.handler"},
      {"env MINE", "yes"},
      {"env TZ", ":UTC"},
      {"env HOME", "(none)"},
      {"header Lambda-Runtime-Invoked-Function-Arn",
       "arn:aws:lambda:us-east-1:000000000000:function:f"},
      {"descriptors", "1024"},
      {"wrong-id", "400"},
      {"stream in pieces", "in pieces"},
  };
  for (const auto& [words, answer] : wanted) EXPECT_EQ(world.Ask("f", words), answer) << words;
  EXPECT_NE(world.Ask("f", "header Lambda-Runtime-Deadline-Ms"), "");
  EXPECT_NE(world.Ask("f", "header Lambda-Runtime-Trace-Id").find("Root=1-"), std::string::npos);
  EXPECT_TRUE(world.Ask("f", "env AWS_ACCESS_KEY_ID").starts_with("ASIA"));
}

TEST(LambdaInvoke, EndsLogWithTheReport) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f").status, 201);
  const Response response = world.Invoke("f", "print a line", {{"X-Amz-Log-Type", "Tail"}});
  const std::string log = DecodeBase64(HeaderOf(response, "X-Amz-Log-Result")).value();
  for (const char* part :
       {"START RequestId: ", " Version: $LATEST\n", "\na line\n",
        "\nEND RequestId: ", "\nREPORT RequestId: ", "\tDuration: ", "\tBilled Duration: ",
        "\tMemory Size: 128 MB\tMax Memory Used: ", "Init Duration: "}) {
    EXPECT_NE(log.find(part), std::string::npos) << part << " in " << log;
  }
  const Response warm = world.Invoke("f", "print more", {{"X-Amz-Log-Type", "Tail"}});
  const std::string second = DecodeBase64(HeaderOf(warm, "X-Amz-Log-Result")).value();
  EXPECT_EQ(second.find("Init Duration"), std::string::npos) << second;
  EXPECT_EQ(second.find("a line"), std::string::npos) << second;
  EXPECT_EQ(world.Logged("f", "a line"), 1u);
}

struct Failure {
  const char* words;
  const char* more;
  const char* type;
  const char* message;
};

TEST(LambdaInvoke, ReportsFailuresAsLambdaDoes) {
  const Failure failures[] = {
      {"fail", "", "Told", "as it was told"},
      {"exit 0", "", "Runtime.ExitError", "Error: Runtime exited without providing a reason"},
      {"exit 5", "", "Runtime.ExitError", "Error: Runtime exited with error: exit status 5"},
      {"kill 9", "", "Runtime.ExitError", "Error: Runtime exited with error: signal: killed"},
      {"raw nonsense", "", "Runtime.ExitError", "without providing a reason"},
      {"hang", R"(,"Timeout":1)", "Sandbox.Timedout", "Error: Task timed out after 1.00 seconds"},
      {"allocate 200", "", "Runtime.ExitError", "Runtime exited with error: signal: killed"},
      {"big 6291555", "", "Function.ResponseSizeTooLarge", "maximum allowed payload size (6291556"},
      {"echo", R"(,"Environment":{"Variables":{"FAKE_INIT":"exit"}})", "Runtime.ExitError",
       "Error: Runtime exited with error: exit status 7"},
      {"echo", R"(,"Environment":{"Variables":{"FAKE_INIT":"error"}})", "Told", "no start"},
  };
  LambdaWorld world(kAll);
  int number = 0;
  for (const Failure& failure : failures) {
    const std::string name = "f" + std::to_string(++number);
    ASSERT_EQ(world.Create(name, failure.more).status, 201);
    const Response response = world.Invoke(name, failure.words);
    EXPECT_EQ(response.status, 200) << failure.words;
    EXPECT_EQ(HeaderOf(response, "X-Amz-Function-Error"), "Unhandled") << failure.words;
    EXPECT_EQ(TypeOf(response), failure.type) << failure.words;
    EXPECT_NE(MessageOf(response).find(failure.message), std::string::npos)
        << failure.words << ": " << response.body;
  }
  // One that died is replaced.
  EXPECT_EQ(world.Ask("f2", "echo again"), "again");
  EXPECT_EQ(world.Ask("f1", "served"), "1");
}

TEST(LambdaInvoke, AnswersOfTheLargestSizePass) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f").status, 201);
  EXPECT_EQ(world.Invoke("f", "big 6291554").body.size(), 6'291'556u);
  EXPECT_EQ(world.Ask("f", "served"), "2");
}

TEST(LambdaInvoke, RefusesWhatIsTooLargeOrNoJson) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f").status, 201);
  const std::string target = "/2015-03-31/functions/f/invocations";
  EXPECT_EQ(world.Send("POST", target, "\"" + std::string(6'291'555, 'x') + "\"").status, 413);
  EXPECT_EQ(world
                .Send("POST", target, "\"" + std::string(1 << 20, 'x') + "\"",
                      {{"X-Amz-Invocation-Type", "Event"}})
                .status,
            413);
  const Response response = world.Send("POST", target, "{nonsense");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(HeaderOf(response, "x-amzn-ErrorType"), "InvalidRequestContentException");
  EXPECT_EQ(world.Send("POST", "/2015-03-31/functions/none/invocations", "1").status, 404);
}

TEST(LambdaInvoke, RunsEventsLater) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f").status, 201);
  const Response response =
      world.Invoke("f", "print an event", {{"X-Amz-Invocation-Type", "Event"}});
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, "");
  Await([&] { return world.Logged("f", "an event") > 0; });
}

TEST(LambdaInvoke, DryRunRunsNothing) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f").status, 201);
  EXPECT_EQ(world.Invoke("f", "echo", {{"X-Amz-Invocation-Type", "DryRun"}}).status, 204);
  EXPECT_EQ(world.Counter("lambda.cold_starts"), 0);
}

TEST(LambdaInvoke, ThrottlesWithAReason) {
  LambdaWorld world(std::string(kAll) + "lambda.concurrency = 1\n");
  ASSERT_EQ(world.Create("f").status, 201);
  ASSERT_EQ(world.Create("none").status, 201);
  ASSERT_EQ(world
                .Send("PUT", "/2017-10-31/functions/none/concurrency",
                      R"({"ReservedConcurrentExecutions":0})")
                .status,
            200);
  const Response reserved = world.Invoke("none", "echo");
  EXPECT_EQ(reserved.status, 429);
  EXPECT_EQ(HeaderOf(reserved, "x-amzn-ErrorType"), "TooManyRequestsException");
  EXPECT_EQ(HeaderOf(reserved, "Retry-After"), "1");
  EXPECT_NE(reserved.body.find("ReservedFunctionConcurrentInvocationLimitExceeded"),
            std::string::npos);
  std::thread busy([&] { EXPECT_EQ(TypeOf(world.Invoke("f", "hang")), "Sandbox.Timedout"); });
  Await([&] { return world.Logged("f", "START") > 0; });
  const Response second = world.Invoke("f", "echo");
  EXPECT_EQ(second.status, 429);
  EXPECT_NE(second.body.find("\"ConcurrentInvocationLimitExceeded\""), std::string::npos);
  busy.join();
  EXPECT_EQ(world.Ask("f", "echo free"), "free");
}

TEST(LambdaInvoke, LimitsTheRampOfNewEnvironments) {
  LambdaWorld world(std::string(kAll) + "lambda.ramp = 1\n");
  ASSERT_EQ(world.Create("f").status, 201);
  ASSERT_EQ(world.Create("g").status, 201);
  EXPECT_EQ(world.Invoke("f", "echo").status, 200);
  EXPECT_EQ(world.Invoke("g", "echo").status, 429);
  EXPECT_EQ(world.Invoke("f", "echo").status, 200);
}

TEST(LambdaInvoke, ServesManyAtOnce) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f").status, 201);
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 20; ++j) {
        const std::string text = std::to_string(i) + "-" + std::to_string(j);
        if (world.Ask("f", "echo " + text) == text) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
  EXPECT_LE(world.Counter("lambda.cold_starts"), 8);
}

TEST(LambdaInvoke, NewCodeAndConfigurationMeanNewEnvironments) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f").status, 201);
  EXPECT_EQ(world.Ask("f", "served"), "1");
  ASSERT_EQ(world
                .Send("PUT", "/2015-03-31/functions/f/configuration",
                      R"({"Environment":{"Variables":{"MINE":"new"}}})")
                .status,
            200);
  EXPECT_EQ(world.Ask("f", "env MINE"), "new");
  EXPECT_EQ(world.Counter("lambda.cold_starts"), 2);
}

TEST(LambdaInvoke, VersionsAndAliasesKeepTheirConfiguration) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f", R"(,"Environment":{"Variables":{"MINE":"one"}})").status, 201);
  ASSERT_EQ(world.Send("POST", "/2015-03-31/functions/f/versions", "{}").status, 201);
  ASSERT_EQ(world
                .Send("POST", "/2015-03-31/functions/f/aliases",
                      R"({"Name":"live","FunctionVersion":"1"})")
                .status,
            201);
  ASSERT_EQ(world
                .Send("PUT", "/2015-03-31/functions/f/configuration",
                      R"({"Environment":{"Variables":{"MINE":"two"}}})")
                .status,
            200);
  EXPECT_EQ(world.Invoke("f", "env MINE").body, "\"two\"");
  EXPECT_EQ(world.Invoke("f", "env MINE", {}, "?Qualifier=1").body, "\"one\"");
  const Response alias = world.Invoke("f", "env MINE", {}, "?Qualifier=live");
  EXPECT_EQ(alias.body, "\"one\"");
  EXPECT_EQ(HeaderOf(alias, "X-Amz-Executed-Version"), "1");
  EXPECT_EQ(world.Invoke("f:live", "header Lambda-Runtime-Invoked-Function-Arn").body,
            "\"arn:aws:lambda:us-east-1:000000000000:function:f:live\"");
  EXPECT_EQ(world.Invoke("f", "echo", {}, "?Qualifier=7").status, 404);
}

TEST(LambdaInvoke, SurvivesARestart) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f").status, 201);
  EXPECT_EQ(world.Ask("f", "echo before"), "before");
  world.Restart();
  EXPECT_EQ(world.Ask("f", "echo after"), "after");
}

TEST(LambdaInvoke, StopsWhatRunsAtTheEnd) {
  LambdaWorld world(kAll);
  ASSERT_EQ(world.Create("f", R"(,"Timeout":900)").status, 201);
  std::thread busy([&] { EXPECT_EQ(TypeOf(world.Invoke("f", "hang")), "Runtime.ExitError"); });
  Await([&] { return world.Logged("f", "START") > 0; });
  world.front().Stop();
  busy.join();
  EXPECT_EQ(world.Invoke("f", "echo").status, 503);
}

}  // namespace
}  // namespace llama::emulator
