#include "emulator/request/policy.h"

#include <gtest/gtest.h>

namespace llama::emulator {
namespace {

std::string Statement(const std::string& fields) {
  return R"({"Version":"2012-10-17","Statement":[{)" + fields + "}]}";
}

TEST(PolicyTest, AllowsWhatAStatementNames) {
  const Policies policies = {Statement(
      R"("Effect":"Allow","Action":["s3:GetObject","s3:Put*"],"Resource":"arn:aws:s3:::b/p/*")")};
  EXPECT_TRUE(IsAllowed(policies, "s3:GetObject", "arn:aws:s3:::b/p/k"));
  EXPECT_TRUE(IsAllowed(policies, "s3:PutObject", "arn:aws:s3:::b/p/a/b"));
  EXPECT_TRUE(IsAllowed(policies, "S3:getobject", "arn:aws:s3:::b/p/k"));
  EXPECT_TRUE(IsAllowed(policies, "s3:GetObject", "arn:aws-cn:s3:::b/p/k"));
  EXPECT_FALSE(IsAllowed(policies, "s3:DeleteObject", "arn:aws:s3:::b/p/k"));
  EXPECT_FALSE(IsAllowed(policies, "s3:GetObject", "arn:aws:s3:::b/q"));
  EXPECT_FALSE(IsAllowed(policies, "s3:ListBucket", "arn:aws:s3:::b"));
}

TEST(PolicyTest, ADenialWins) {
  const std::string all = Statement(R"("Effect":"Allow","Action":"*","Resource":"*")");
  const std::string not_list =
      Statement(R"("Effect":"Deny","Action":"s3:ListBucket","Resource":"*")");
  EXPECT_TRUE(IsAllowed({all}, "s3:ListBucket", "arn:aws:s3:::b"));
  EXPECT_FALSE(IsAllowed({all, not_list}, "s3:ListBucket", "arn:aws:s3:::b"));
  EXPECT_TRUE(IsAllowed({all, not_list}, "s3:GetObject", "arn:aws:s3:::b/k"));
}

TEST(PolicyTest, UnderstandsTheInverseFormsAndOneStatementAlone) {
  const Policies policies = {
      R"({"Statement":{"Effect":"Allow","NotAction":"s3:Delete*","NotResource":"arn:aws:s3:::b/x"}})"};
  EXPECT_TRUE(IsAllowed(policies, "s3:GetObject", "arn:aws:s3:::b/k"));
  EXPECT_FALSE(IsAllowed(policies, "s3:DeleteObject", "arn:aws:s3:::b/k"));
  EXPECT_FALSE(IsAllowed(policies, "s3:GetObject", "arn:aws:s3:::b/x"));
}

TEST(PolicyTest, AllowsNothingThatItDoesNotUnderstand) {
  EXPECT_FALSE(IsAllowed({}, "s3:GetObject", "arn:aws:s3:::b/k"));
  EXPECT_FALSE(IsAllowed({"{", "[]", "{}", R"({"Statement":[1]})"}, "s3:GetObject", "arn:x"));
  const std::string conditional = Statement(
      R"("Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}})");
  EXPECT_FALSE(IsAllowed({conditional}, "s3:GetObject", "arn:aws:s3:::b/k"));
}

}  // namespace
}  // namespace llama::emulator
