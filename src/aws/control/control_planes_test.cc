#include <gtest/gtest.h>

#include <deque>

#include "aws/control/iam.h"
#include "aws/control/lambda_control.h"
#include "aws/control/logs.h"

namespace llama::aws {
namespace {

struct Reply {
  int status = 200;
  std::string body = {};
};

class FakeService final : public Service {
 public:
  explicit FakeService(FakeClock& clock) {
    options_.region = "eu-west-1";
    options_.pause = [&clock](int64_t ms) { clock.AdvanceNs(ms * 1'000'000); };
  }
  Result<ServiceAnswer> Call(const ServiceCall& call) override {
    calls.push_back(call.method + " " + call.target);
    bodies.emplace_back(call.body);
    ServiceAnswer out;
    const Reply reply = replies.empty() ? otherwise : replies.front();
    if (!replies.empty()) replies.pop_front();
    out.http.status = reply.status;
    out.http.body = reply.body;
    return out;
  }
  const ServiceOptions& options() const override { return options_; }

  std::deque<Reply> replies;
  Reply otherwise;
  std::vector<std::string> calls;
  std::vector<std::string> bodies;

 private:
  ServiceOptions options_;
};

class ControlPlanes : public testing::Test {
 protected:
  FakeClock clock_;
  FakeService service_{clock_};
  LambdaControl lambda_{service_, clock_};
};

constexpr char kReady[] =
    R"({"FunctionName":"f","State":"Active","LastUpdateStatus":"Successful","MemorySize":128})";

TEST_F(ControlPlanes, ReadsAFunctionWithAllThatMattersOfIt) {
  service_.otherwise.body = R"({"Configuration":{"FunctionName":"f","FunctionArn":"a","Role":"r",
      "Runtime":"provided.al2023","PackageType":"Zip","State":"Active","MemorySize":1769,
      "Timeout":900,"EphemeralStorage":{"Size":2048},"CodeSize":77,"CodeSha256":"s",
      "Environment":{"Variables":{"LLAMA_STORE":"s3://b"}}},"Tags":{"k":"v"},"Code":{}})";
  const auto function = lambda_.Get("f");
  ASSERT_TRUE(function) << function.error().message;
  EXPECT_EQ(function->memory_mb, 1769);
  EXPECT_EQ(function->tmp_mb, 2048);
  EXPECT_EQ(function->code_bytes, 77);
  EXPECT_EQ(function->environment.at("LLAMA_STORE"), "s3://b");
  EXPECT_EQ(function->tags.at("k"), "v");
  EXPECT_EQ(service_.calls[0], "GET /2015-03-31/functions/f");
}

TEST_F(ControlPlanes, ListsEveryPage) {
  service_.replies = {
      {200, R"({"Functions":[{"FunctionName":"a"},{"FunctionName":"b"}],"NextMarker":"m/1"})"},
      {200, R"({"Functions":[{"FunctionName":"c"}],"NextMarker":null})"}};
  const auto functions = lambda_.List();
  ASSERT_TRUE(functions);
  ASSERT_EQ(functions->size(), 3u);
  EXPECT_EQ((*functions)[2].name, "c");
  EXPECT_EQ(service_.calls[1], "GET /2015-03-31/functions/?MaxItems=50&Marker=m%2F1");
}

TEST_F(ControlPlanes, AListWithoutEndIsAnError) {
  service_.otherwise.body = R"({"Functions":[],"NextMarker":"again"})";
  EXPECT_EQ(lambda_.List().error().code, Code::kInvalid);
}

TEST_F(ControlPlanes, AnswersOfAnyShapeAreErrorsOrEmpty) {
  for (const char* body : {"", "[]", "null", "{", "\"x\"", "\xff\xfe"}) {
    service_.otherwise.body = body;
    EXPECT_EQ(lambda_.Get("f").error().code, Code::kInvalid) << body;
    EXPECT_EQ(lambda_.List().error().code, Code::kInvalid) << body;
  }
  service_.otherwise.body =
      R"({"Functions":[5,{"FunctionName":7,"MemorySize":"x","Environment":[]}],"Configuration":3})";
  const auto functions = lambda_.List();
  ASSERT_TRUE(functions);
  EXPECT_EQ(functions->size(), 2u);
}

TEST_F(ControlPlanes, WaitsUntilAFunctionCanBeUsed) {
  service_.replies = {{200, R"({"State":"Pending"})"},
                      {200, R"({"State":"Active","LastUpdateStatus":"InProgress"})"},
                      {200, kReady}};
  const auto ready = lambda_.AwaitReady("f");
  ASSERT_TRUE(ready) << ready.error().message;
  EXPECT_EQ(service_.calls.size(), 3u);

  service_.otherwise = {200, R"({"State":"Pending"})"};
  EXPECT_EQ(lambda_.AwaitReady("f", 10'000).error().code, Code::kDeadline);
  service_.otherwise = {200, R"({"State":"Failed","StateReason":"no image"})"};
  const auto failed = lambda_.AwaitReady("f");
  EXPECT_EQ(failed.error().code, Code::kInvalid);
  EXPECT_NE(failed.error().message.find("no image"), std::string::npos);
}

TEST_F(ControlPlanes, WaitsForARoleThatWasJustMade) {
  const Reply fresh = {
      400,
      R"({"Type":"User","message":"The role defined for the function cannot be assumed by Lambda."})"};
  service_.replies = {fresh, fresh, {201, kReady}};
  EXPECT_TRUE(lambda_.Create("f", "role", {"zip", ""}, {}, {}));
  EXPECT_EQ(service_.calls.size(), 3u);
  service_.calls.clear();
  service_.otherwise = fresh;
  EXPECT_EQ(lambda_.Create("f", "role", {"zip", ""}, {}, {}, 5'000).error().code, Code::kInvalid);
  EXPECT_EQ(service_.calls.size(), 6u);
}

// The same before Lambda may use the key of the function's variables for the role.
TEST_F(ControlPlanes, WaitsForTheGrantOfARoleThatWasJustMade) {
  const Reply fresh = {
      400,
      R"({"Type":"User","message":"Lambda was unable to configure access to your environment )"
      R"(variables because the KMS key is invalid for CreateGrant. Please check your KMS key )"
      R"(settings. KMS Exception: InvalidArnException KMS Message: ARN does not refer to a valid )"
      R"(principal: arn:aws:iam::123456789012:role/r"})"};
  service_.replies = {fresh, {201, kReady}};
  EXPECT_TRUE(lambda_.Create("f", "role", {"zip", ""}, {}, {}));
  EXPECT_EQ(service_.calls.size(), 2u);
}

TEST_F(ControlPlanes, TellsKindsOfRefusal) {
  struct Case {
    Reply reply;
    Code code;
    const char* says;
  };
  const Case kCases[] = {
      {{404, R"({"Message":"none"})"}, Code::kNotFound, "function f: lambda:GetFunction"},
      {{403, R"({"Message":"not authorized"})"}, Code::kInvalid, "--policy"},
      {{409, R"({"__type":"ResourceConflictException","message":"An update is in progress"})"},
       Code::kUnavailable,
       "in progress"},
      {{409, R"({"__type":"ResourceConflictException","message":"Function already exist"})"},
       Code::kInvalid,
       "already exist"},
      {{400, "nonsense"}, Code::kInvalid, "status 400"},
  };
  for (const Case& c : kCases) {
    service_.otherwise = c.reply;
    const auto got = lambda_.Get("f");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, c.code) << c.reply.body;
    EXPECT_NE(got.error().message.find(c.says), std::string::npos) << got.error().message;
  }
}

TEST_F(ControlPlanes, DeletingWhatIsNotThereIsNoError) {
  Iam iam(service_);
  Logs logs(service_);
  service_.otherwise = {404, R"({"__type":"ResourceNotFoundException"})"};
  EXPECT_TRUE(lambda_.Delete("f"));
  EXPECT_TRUE(logs.DeleteGroup("g"));
  service_.otherwise = {404,
                        "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>"};
  EXPECT_TRUE(iam.DeleteRole("r"));
  EXPECT_TRUE(iam.DeleteRolePolicy("r", "p"));
  service_.otherwise.status = 403;
  service_.otherwise.body =
      "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
  EXPECT_FALSE(iam.DeleteRole("r"));
}

TEST_F(ControlPlanes, RolesAndPoliciesArePassedWhole) {
  Iam iam(service_);
  service_.replies = {
      {200,
       "<CreateRoleResponse xmlns=\"x\"><CreateRoleResult><Role><RoleName>r</RoleName>"
       "<Arn>arn:r</Arn><Tags><member><Key>k</Key><Value>v</Value></member></Tags></Role>"
       "</CreateRoleResult></CreateRoleResponse>"},
      {200,
       "<GetRolePolicyResponse><GetRolePolicyResult><PolicyDocument>%7B%22a%22%3A1%7D"
       "</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>"},
      {200, "<GetRoleResponse/>"},
      {200, "not xml"}};
  const auto role = iam.CreateRole("r", "{\"trust\":1}", "what & why", {{"k", "v"}});
  ASSERT_TRUE(role) << role.error().message;
  EXPECT_EQ(role->arn, "arn:r");
  EXPECT_EQ(role->tags.at("k"), "v");
  EXPECT_NE(service_.bodies[0].find("AssumeRolePolicyDocument=%7B%22trust%22%3A1%7D"),
            std::string::npos);
  EXPECT_NE(service_.bodies[0].find("Tags.member.1.Key=k"), std::string::npos);
  EXPECT_NE(service_.bodies[0].find("Description=what%20%26%20why"), std::string::npos);
  EXPECT_EQ(*iam.GetRolePolicy("r", "p"), "{\"a\":1}");
  EXPECT_FALSE(iam.GetRole("r"));
  EXPECT_FALSE(iam.GetRole("r"));
}

TEST_F(ControlPlanes, LogsComeInPages) {
  Logs logs(service_);
  service_.replies = {
      {200,
       R"({"events":[{"timestamp":5,"logStreamName":"s","message":"m\n"},7],"nextToken":"t"})"},
      {200, R"({"logGroups":[{"logGroupName":"/aws/lambda/f-other"}]})"},
      {200, R"({"logGroups":[{"logGroupName":"/aws/lambda/f"}]})"},
      {400, R"({"__type":"ResourceAlreadyExistsException"})"}};
  const auto page = logs.Filter("g", 1, "", "");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->events.size(), 2u);
  EXPECT_EQ(page->events[0].time_ms, 5);
  EXPECT_EQ(page->next, "t");
  EXPECT_FALSE(*logs.HasGroup("/aws/lambda/f"));
  EXPECT_TRUE(*logs.HasGroup("/aws/lambda/f"));
  EXPECT_TRUE(logs.CreateGroup("g"));
}

}  // namespace
}  // namespace llama::aws
