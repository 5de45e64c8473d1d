#include "aws/control/deployment.h"

#include <gtest/gtest.h>

#include "aws/control/zip.h"
#include "job/base64.h"
#include "store/digest.h"

namespace llama::aws {
namespace {

DeploymentWish Wish() {
  DeploymentWish wish;
  wish.scope = {"eu-west-1", "123456789012", "bucket", "", "llama", "llama-worker"};
  wish.code.zip = "zip";
  wish.store_url = "s3://bucket?region=eu-west-1";
  return wish;
}

const std::map<std::string, std::string> kOurs = {{"created-by", "llama-bootstrap"}};

DeploymentFound AllThere() {
  DeploymentFound found;
  found.bucket = BucketState::kOurs;
  found.bucket_tags = kOurs;
  found.role = IamRole{"llama-worker", "arn", kOurs};
  found.role_policy = WorkerPolicy(Wish().scope);
  found.log_group = true;
  LambdaFunction function;
  function.name = "llama";
  function.package_type = "Zip";
  function.memory_mb = kDefaultMemoryMb;
  function.timeout_s = kDefaultTimeoutS;
  function.tmp_mb = kDefaultTmpMb;
  job::AppendBase64(function.code_sha256, store::Sha256("zip").view());
  function.environment = {{"LLAMA_STORE", Wish().store_url}, {"MINE", "1"}};
  function.tags = kOurs;
  found.function = function;
  return found;
}

// "create bucket, keep role, …".
std::string Text(const std::vector<DeploymentStep>& steps) {
  std::string out;
  for (const DeploymentStep& step : steps) {
    out.append(out.empty() ? "" : ", ").append(VerbName(step.verb)).append(" ");
    out.append(PartName(step.part));
  }
  return out;
}

std::string CreationText(const DeploymentFound& found, const DeploymentWish& wish = Wish()) {
  const auto steps = PlanCreation(wish, found);
  return steps ? Text(*steps) : steps.error().message;
}

TEST(DeploymentPlan, CreatesWhatIsMissingAndOnlyThat) {
  EXPECT_EQ(CreationText({}),
            "create bucket, create role, create role policy, create log group, create function");
  EXPECT_EQ(CreationText(AllThere()),
            "keep bucket, keep role, keep role policy, keep log group, keep function");
  DeploymentFound found = AllThere();
  found.function.reset();
  found.role_policy.clear();
  EXPECT_EQ(CreationText(found),
            "keep bucket, keep role, create role policy, keep log group, create function");
}

// A role of the same name is another one to Lambda's grants.
TEST(DeploymentPlan, MakesTheFunctionAnewWithItsRole) {
  DeploymentFound found = AllThere();
  found.role.reset();
  found.role_policy.clear();
  found.function->memory_mb = 512;
  const auto steps = PlanCreation(Wish(), found);
  ASSERT_TRUE(steps);
  EXPECT_EQ(Text(*steps),
            "keep bucket, create role, create role policy, keep log group, create function");
  const DeploymentStep& step = steps->back();
  EXPECT_TRUE(step.replaces);
  EXPECT_EQ(step.configuration.memory_mb, 512) << "as it was";
  EXPECT_EQ(step.configuration.environment->at("MINE"), "1");
  found.function->tags.clear();
  EXPECT_EQ(PlanCreation(Wish(), found)->back().verb, Verb::kKeep) << "somebody else's";
  found.function->tags = kOurs;
  DeploymentWish wish = Wish();
  wish.role_arn = "arn:aws:iam::1:role/mine";
  EXPECT_EQ(PlanCreation(wish, found)->back().verb, Verb::kKeep) << "a role of the user's own";
}

TEST(DeploymentPlan, FinishesABucketThatWasLeftHalfSetUp) {
  DeploymentFound found = AllThere();
  found.bucket_tags = {{"created-by", "llama-bootstrap-unfinished"}};
  EXPECT_EQ(CreationText(found),
            "change bucket, keep role, keep role policy, keep log group, keep function");
}

TEST(DeploymentPlan, UsesWhatIsNotOursAsItIs) {
  DeploymentFound found = AllThere();
  found.bucket_tags.clear();
  found.role->tags.clear();
  found.role_policy.clear();
  found.function->tags = {{"created-by", "somebody"}};
  found.function->code_sha256 = "other";
  DeploymentWish wish = Wish();
  wish.memory_mb = 512;
  EXPECT_EQ(CreationText(found, wish), "keep bucket, keep role, keep log group, keep function");
  wish.role_arn = "arn:aws:iam::1:role/mine";
  EXPECT_EQ(CreationText({}, wish), "create bucket, keep role, create log group, create function");
}

TEST(DeploymentPlan, RefusesABucketOfAnotherAccount) {
  DeploymentFound found;
  found.bucket = BucketState::kForeign;
  const auto steps = PlanCreation(Wish(), found);
  ASSERT_FALSE(steps);
  EXPECT_EQ(steps.error().code, Code::kInvalid);
  EXPECT_NE(steps.error().message.find("bucket bucket"), std::string::npos);
}

TEST(DeploymentPlan, ALogGroupThatCannotBeLookedAtIsLeftToLambda) {
  DeploymentFound found = AllThere();
  found.log_group = false;
  found.log_group_unknown = "denied";
  EXPECT_EQ(CreationText(found),
            "keep bucket, keep role, keep role policy, keep log group, keep function");
}

TEST(DeploymentPlan, ChangesOfAFunctionOnlyWhatDiffers) {
  struct Case {
    const char* name;
    void (*change)(DeploymentWish&, DeploymentFound&);
    bool code;
    bool configuration;
  };
  const Case kCases[] = {
      {"nothing", [](DeploymentWish&, DeploymentFound&) {}, false, false},
      {"same memory", [](DeploymentWish& w, DeploymentFound&) { w.memory_mb = kDefaultMemoryMb; },
       false, false},
      {"memory", [](DeploymentWish& w, DeploymentFound&) { w.memory_mb = 512; }, false, true},
      {"timeout", [](DeploymentWish& w, DeploymentFound&) { w.timeout_s = 60; }, false, true},
      {"tmp", [](DeploymentWish& w, DeploymentFound&) { w.tmp_mb = 512; }, false, true},
      {"memory that somebody changed",
       [](DeploymentWish&, DeploymentFound& f) { f.function->memory_mb = 512; }, false, false},
      {"code", [](DeploymentWish& w, DeploymentFound&) { w.code.zip = "newer"; }, true, false},
      {"code of an image",
       [](DeploymentWish& w, DeploymentFound& f) {
         w.code.zip = "newer";
         f.function->package_type = "Image";
       },
       false, false},
      {"store", [](DeploymentWish& w, DeploymentFound&) { w.store_url = "s3://b"; }, false, true},
  };
  for (const Case& c : kCases) {
    DeploymentWish wish = Wish();
    DeploymentFound found = AllThere();
    c.change(wish, found);
    const auto steps = PlanCreation(wish, found);
    ASSERT_TRUE(steps);
    const DeploymentStep& step = steps->back();
    EXPECT_EQ(step.update_code, c.code) << c.name;
    EXPECT_EQ(!step.configuration.Empty(), c.configuration) << c.name;
    EXPECT_EQ(step.verb == Verb::kChange, c.code || c.configuration) << c.name;
    if (step.configuration.environment) {
      EXPECT_EQ(step.configuration.environment->at("MINE"), "1") << "others' variables stay";
    }
  }
}

TEST(DeploymentPlan, RemovesWhatIsOursAndNothingElse) {
  EXPECT_EQ(Text(PlanRemoval(Wish(), {})), "");
  EXPECT_EQ(Text(PlanRemoval(Wish(), AllThere())),
            "delete function, delete log group, delete role policy, delete role, delete bucket");
  DeploymentFound found = AllThere();
  found.bucket_tags.clear();
  found.role->tags.clear();
  found.function->tags.clear();
  EXPECT_EQ(Text(PlanRemoval(Wish(), found)),
            "keep function, keep log group, keep role, keep bucket");
  found.bucket = BucketState::kForeign;
  found.bucket_tags = kOurs;
  EXPECT_EQ(PlanRemoval(Wish(), found).back().verb, Verb::kKeep);
}

TEST(Policies, NameTheLeastThatIsNeeded) {
  PolicyScope scope = Wish().scope;
  scope.prefix = "team/";
  EXPECT_EQ(
      WorkerPolicy(scope),
      R"({"Version":"2012-10-17","Statement":[{"Sid":"Objects","Effect":"Allow",)"
      R"("Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::bucket/team/*"]},)"
      R"({"Sid":"Log","Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],)"
      R"("Resource":["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/llama:*"]}]})");
  scope.region = "cn-north-1";
  EXPECT_NE(UserPolicy(scope).find("arn:aws-cn:lambda:cn-north-1:123456789012:function:llama"),
            std::string::npos);
  for (const auto& [region, partition] : {std::pair{"us-gov-west-1", "aws-us-gov"},
                                          {"eusc-de-east-1", "aws-eusc"},
                                          {"us-iso-east-1", "aws-iso"},
                                          {"us-isob-east-1", "aws-iso-b"},
                                          {"eu-isoe-west-1", "aws-iso-e"},
                                          {"us-isof-south-1", "aws-iso-f"},
                                          {"eu-west-1", "aws"}}) {
    EXPECT_EQ(PartitionOf(region), partition);
  }
  EXPECT_NE(UserPolicy(scope).find("iam:PassRole"), std::string::npos);
  scope.role.clear();
  EXPECT_EQ(UserPolicy(scope).find("iam:"), std::string::npos);
}

TEST(LambdaCode, IsForTheProcessorThatItsProgramIsFor) {
  std::string program(
      "\x7f"
      "ELF",
      4);
  program.resize(64, '\0');
  EXPECT_FALSE(ArchitectureOf(program));
  program[18] = 62;
  EXPECT_EQ(*ArchitectureOf(program), "x86_64");
  program[18] = static_cast<char>(183);
  EXPECT_EQ(*ArchitectureOf(program), "arm64");
  EXPECT_FALSE(ArchitectureOf(std::string("#!/bin/sh").append(64, ' ')));
  EXPECT_FALSE(ArchitectureOf(program.substr(0, 18)));
}

TEST(Zip, DependsOnNothingButItsEntries) {
  const std::string program(100'000, 'p');
  const auto first = MakeZip({{"bootstrap", program, 0755}, {"ca.pem", "ca", 0644}});
  const auto second = MakeZip({{"bootstrap", program, 0755}, {"ca.pem", "ca", 0644}});
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_TRUE(second);
  EXPECT_EQ(*first, *second);
  EXPECT_LT(first->size(), 2'000u);
  EXPECT_TRUE(first->starts_with("PK\x03\x04"));
  const auto other = MakeZip({{"bootstrap", program, 0644}, {"ca.pem", "ca", 0644}});
  ASSERT_TRUE(other);
  EXPECT_NE(*first, *other);
  EXPECT_FALSE(MakeZip({}));
  EXPECT_FALSE(MakeZip({{"a", "x", 0644}, {"a", "y", 0644}}));
}

}  // namespace
}  // namespace llama::aws
