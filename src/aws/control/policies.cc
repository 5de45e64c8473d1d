#include "aws/control/policies.h"

#include <initializer_list>

#include "base/text/json.h"
#include "signing/partition.h"

namespace llama::aws {
namespace {

std::string Arn(const PolicyScope& scope, std::string_view service, bool regional,
                const std::string& rest) {
  std::string out = "arn:";
  out.append(PartitionOf(scope.region)).append(":").append(service).append(":");
  out.append(regional ? scope.region : "").append(":");
  return out.append(service == "s3" ? "" : scope.account).append(":").append(rest);
}

// A policy document, an Allow a statement.
class Policy {
 public:
  Policy() {
    json_.BeginObject().Key("Version").String("2012-10-17").Key("Statement").BeginArray();
  }
  Policy& Allow(std::string_view id, std::initializer_list<std::string_view> actions,
                std::initializer_list<std::string> resources) {
    json_.BeginObject().Key("Sid").String(id).Key("Effect").String("Allow");
    json_.Key("Action").BeginArray();
    for (const std::string_view action : actions) json_.String(action);
    json_.EndArray().Key("Resource").BeginArray();
    for (const std::string& resource : resources) json_.String(resource);
    json_.EndArray().EndObject();
    return *this;
  }
  std::string Take() { return json_.EndArray().EndObject().Take(); }

 private:
  JsonWriter json_;
};

}  // namespace

std::string_view PartitionOf(std::string_view region) { return signing::PartitionOf(region).id; }

std::string LogGroupOf(std::string_view function) { return "/aws/lambda/" + std::string(function); }

std::string TrustPolicy() {
  return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
         R"("Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
}

std::string WorkerPolicy(const PolicyScope& scope) {
  const std::string objects = Arn(scope, "s3", false, scope.bucket + "/" + scope.prefix + "*");
  const std::string logs =
      Arn(scope, "logs", true, "log-group:" + LogGroupOf(scope.function) + ":*");
  return Policy()
      .Allow("Objects", {"s3:GetObject", "s3:PutObject"}, {objects})
      .Allow("Log", {"logs:CreateLogStream", "logs:PutLogEvents"}, {logs})
      .Take();
}

std::string UserPolicy(const PolicyScope& scope) {
  const std::string bucket = Arn(scope, "s3", false, scope.bucket);
  const std::string objects = bucket + "/" + scope.prefix + "*";
  const std::string function = Arn(scope, "lambda", true, "function:" + scope.function);
  const std::string group = Arn(scope, "logs", true, "log-group:" + LogGroupOf(scope.function));
  Policy policy;
  policy
      .Allow("BuildObjects",
             {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"},
             {objects})
      .Allow("BuildBucket", {"s3:ListBucket"}, {bucket})
      .Allow("BuildFunction", {"lambda:InvokeFunction"}, {function, function + ":*"})
      .Allow("SetUpBucket",
             {"s3:CreateBucket", "s3:DeleteBucket", "s3:PutEncryptionConfiguration",
              "s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration",
              "s3:PutBucketTagging", "s3:GetBucketTagging"},
             {bucket})
      .Allow("SetUpFunction",
             {"lambda:CreateFunction", "lambda:GetFunction", "lambda:UpdateFunctionCode",
              "lambda:UpdateFunctionConfiguration", "lambda:DeleteFunction", "lambda:TagResource",
              "lambda:ListTags"},
             {function})
      .Allow("ListFunctions", {"lambda:ListFunctions", "logs:DescribeLogGroups"}, {"*"})
      .Allow("Logs",
             {"logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy",
              "logs:FilterLogEvents"},
             {group, group + ":*"});
  if (!scope.role.empty()) {
    policy.Allow("SetUpRole",
                 {"iam:CreateRole", "iam:GetRole", "iam:DeleteRole", "iam:TagRole",
                  "iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:PassRole"},
                 {Arn(scope, "iam", false, "role/" + scope.role)});
  }
  return policy.Take();
}

}  // namespace llama::aws
