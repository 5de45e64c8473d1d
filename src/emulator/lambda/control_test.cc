#include <gtest/gtest.h>

#include "emulator/lambda/testing.h"
#include "emulator/request/lambda_json.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

constexpr char kFunctions[] = "/2015-03-31/functions";

std::string Member(const Response& response, std::string_view path) {
  const Result<JsonObject> json = JsonObject::Parse(response.body);
  if (!json) return "(no JSON)";
  const auto text = json->String(path);
  if (text && *text) return **text;
  const auto number = json->Int(path);
  return number && *number ? std::to_string(**number) : "(none)";
}

std::string CreateBody(const std::string& more) {
  const std::string zip = EncodeBase64(MakeTestZip({{"bootstrap", "x", 0100755}}));
  return R"({"FunctionName":"g","Runtime":"provided.al2023","Role":)"
         R"("arn:aws:iam::000000000000:role/test","Code":{"ZipFile":")" +
         zip + "\"}" + more + "}";
}

TEST(LambdaControl, SaysWhatItCreated) {
  LambdaWorld world;
  const Response made = world.Create(
      "f", R"(,"MemorySize":512,"Timeout":30,"EphemeralStorage":{"Size":1024},"Description":"d",)"
           R"("Environment":{"Variables":{"A1":"x"}},"Tags":{"t":"v"},"Publish":true)");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::pair<const char*, const char*> wanted[] = {
      {"FunctionName", "f"},
      {"FunctionArn", "arn:aws:lambda:us-east-1:000000000000:function:f:1"},
      {"Version", "1"},
      {"State", "Active"},
      {"LastUpdateStatus", "Successful"},
      {"MemorySize", "512"},
      {"Timeout", "30"},
      {"EphemeralStorage/Size", "1024"},
      {"Environment/Variables/A1", "x"},
      {"PackageType", "Zip"},
      {"Architectures/0", "x86_64"},
      {"Description", "d"},
  };
  for (const auto& [path, value] : wanted) EXPECT_EQ(Member(made, path), value) << path;
  const Response got = world.Send("GET", std::string(kFunctions) + "/f");
  EXPECT_EQ(Member(got, "Tags/t"), "v");
  EXPECT_EQ(Member(got, "Configuration/Version"), "$LATEST");
  EXPECT_EQ(Member(got, "Configuration/CodeSha256"), Member(made, "CodeSha256"));
}

struct BadCreate {
  const char* more;
  const char* type;
};

TEST(LambdaControl, RefusesBadSettings) {
  LambdaWorld world;
  const BadCreate bad[] = {
      {R"(,"MemorySize":127)", "ValidationException"},
      {R"(,"MemorySize":10241)", "ValidationException"},
      {R"(,"MemorySize":"many")", "InvalidRequestContentException"},
      {R"(,"Timeout":901)", "ValidationException"},
      {R"(,"Timeout":0)", "ValidationException"},
      {R"(,"EphemeralStorage":{"Size":511})", "ValidationException"},
      {R"(,"Architectures":["mips"])", "ValidationException"},
      {R"(,"Environment":{"Variables":{"AWS_REGION":"x"}})", "InvalidParameterValueException"},
      {R"(,"Environment":{"Variables":{"1bad":"x"}})", "ValidationException"},
      {R"(,"Environment":{"Variables":{"A":3}})", "InvalidRequestContentException"},
      {R"(,"Tags":{"":"x"})", "InvalidParameterValueException"},
  };
  for (const BadCreate& one : bad) {
    const Response response = world.Send("POST", kFunctions, CreateBody(one.more));
    EXPECT_EQ(HeaderOf(response, "x-amzn-ErrorType"), one.type) << one.more << response.body;
  }
  const std::string large =
      ",\"Environment\":{\"Variables\":{\"AA\":\"" + std::string(4097, 'x') + "\"}}";
  EXPECT_EQ(world.Send("POST", kFunctions, CreateBody(large)).status, 400);
  EXPECT_EQ(world.Send("POST", kFunctions, "{nonsense").status, 400);
  EXPECT_EQ(world.Send("POST", kFunctions, "[]").status, 400);
  EXPECT_EQ(world.Send("POST", kFunctions, CreateBody("")).status, 201);
  EXPECT_EQ(world.Send("POST", kFunctions, CreateBody("")).status, 409);
}

TEST(LambdaControl, TakesCodeFromItsS3) {
  LambdaWorld world;
  const std::string start = R"({"FunctionName":"s","Runtime":"provided.al2023","Role":)"
                            R"("arn:aws:iam::000000000000:role/test","Code":{"S3Bucket":"code",)"
                            R"("S3Key":")";
  EXPECT_EQ(world.Send("POST", kFunctions, start + "none\"}}").status, 400);
  EXPECT_EQ(world.Send("POST", kFunctions, start + "fake.zip\"}}").status, 201);
  EXPECT_EQ(world.Ask("s", "echo from S3"), "from S3");
}

TEST(LambdaControl, OtherRuntimesNeedABootstrap) {
  LambdaWorld world;
  const auto body = [](const std::string& file) {
    return R"({"FunctionName":")" + file + R"(","Runtime":"nodejs20.x","Handler":"h","Role":)" +
           R"("arn:aws:iam::000000000000:role/test","Code":{"ZipFile":")" +
           EncodeBase64(MakeTestZip({{file, "x", 0100755}})) + "\"}}";
  };
  const Response refused = world.Send("POST", kFunctions, body("index"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("provided.al2023"), std::string::npos);
  EXPECT_EQ(world.Send("POST", kFunctions, body("bootstrap")).status, 201);
}

TEST(LambdaControl, ListsInPages) {
  LambdaWorld world;
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(world.Create(name).status, 201);
  const Response first = world.Send("GET", std::string(kFunctions) + "?MaxItems=2");
  EXPECT_EQ(Member(first, "Functions/1/FunctionName"), "b");
  EXPECT_EQ(Member(first, "NextMarker"), "b");
  const Response second = world.Send("GET", std::string(kFunctions) + "/?MaxItems=2&Marker=b");
  EXPECT_EQ(Member(second, "Functions/0/FunctionName"), "c");
  EXPECT_EQ(Member(second, "NextMarker"), "(none)");
}

TEST(LambdaControl, ChangesOnlyTheRevisionThatIsMeant) {
  LambdaWorld world;
  const Response made = world.Create("f");
  const std::string target = std::string(kFunctions) + "/f/configuration";
  const std::string revision = Member(made, "RevisionId");
  const auto change = [&] {
    return world.Send("PUT", target, R"({"Timeout":9,"RevisionId":")" + revision + "\"}");
  };
  EXPECT_EQ(change().status, 200);
  EXPECT_EQ(change().status, 412);
}

TEST(LambdaControl, KeepsAVersionThatAnAliasNames) {
  LambdaWorld world;
  ASSERT_EQ(world.Create("f", R"(,"Publish":true)").status, 201);
  const std::string f = std::string(kFunctions) + "/f";
  ASSERT_EQ(world.Send("POST", f + "/aliases", R"({"Name":"live","FunctionVersion":"1"})").status,
            201);
  EXPECT_EQ(world.Send("POST", f + "/aliases", R"({"Name":"live","FunctionVersion":"1"})").status,
            409);
  EXPECT_EQ(world.Send("DELETE", f + "?Qualifier=1").status, 409);
  EXPECT_EQ(world.Send("DELETE", f + "/aliases/live").status, 204);
  EXPECT_EQ(world.Send("GET", f + "/aliases/live").status, 404);
  EXPECT_EQ(world.Send("DELETE", f + "?Qualifier=1").status, 204);
  EXPECT_EQ(world.Send("GET", f + "?Qualifier=1").status, 404);
  EXPECT_EQ(world.Send("GET", f).status, 200);
}

TEST(LambdaControl, RefusesNamesAndPathsThatAreNone) {
  LambdaWorld world;
  ASSERT_EQ(world.Create("f").status, 201);
  const std::pair<const char*, int> wanted[] = {
      {"/2015-03-31/functions/..%2f..%2fetc", 400},
      {"/2015-03-31/functions/f:1:2", 400},
      {"/2015-03-31/functions/f%zz", 500},
      {"/2015-03-31/functions/f/nothing", 404},
      {"/2015-03-31/nothing", 404},
      {"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af", 200},
      {"/2015-03-31/functions/000000000000:function:f", 200},
  };
  for (const auto& [target, status] : wanted) {
    EXPECT_EQ(world.Send("GET", target).status, status) << target;
  }
}

TEST(LambdaControl, RefusesWhoMayNotAsk) {
  LambdaWorld world;
  Request request;
  request.method = "GET";
  request.target = request.path = kFunctions;
  class Nobody final : public Exchange {
   public:
    bool Abandoned() const override { return false; }
    bool SleepUntil(int64_t) const override { return true; }
  };
  const Response response = world.front().Handle(request, Nobody());
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(HeaderOf(response, "x-amzn-ErrorType"), "MissingAuthenticationTokenException");
}

}  // namespace
}  // namespace llama::emulator
