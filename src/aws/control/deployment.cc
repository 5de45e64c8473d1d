#include "aws/control/deployment.h"

namespace llama::aws {
namespace {

constexpr char kPolicyName[] = "llama-worker";

std::map<std::string, std::string> Tags(std::string_view suffix = "") {
  return {{std::string(kDeploymentTag), std::string(kDeploymentTagValue) + std::string(suffix)}};
}

// What is not there is no error when one looks.
template <typename T>
Result<std::optional<T>> IfThere(Result<T> got) {
  if (got) return std::optional<T>(*std::move(got));
  if (got.error().code == Code::kNotFound) return std::optional<T>();
  return std::move(got).error();
}

}  // namespace

Result<DeploymentFound> Deployment::Look() {
  DeploymentFound found;
  ASSIGN_OR_RETURN(found.bucket, services_.bucket.Head());
  if (found.bucket == BucketState::kOurs) {
    ASSIGN_OR_RETURN(found.bucket_tags, services_.bucket.GetTags());
  }
  if (wish_.role_arn.empty()) {
    ASSIGN_OR_RETURN(found.role, IfThere(services_.iam.GetRole(wish_.scope.role)));
    if (found.role) {
      ASSIGN_OR_RETURN(const auto policy,
                       IfThere(services_.iam.GetRolePolicy(wish_.scope.role, kPolicyName)));
      found.role_policy = policy.value_or("");
    }
  }
  ASSIGN_OR_RETURN(found.function, IfThere(services_.lambda.Get(wish_.scope.function)));
  // A log group of one's own only saves money, so that a user who may not look at it goes without.
  if (const auto group = services_.logs.HasGroup(LogGroupOf(wish_.scope.function)); group) {
    found.log_group = *group;
  } else {
    found.log_group_unknown = group.error().message;
  }
  return found;
}

Result<void> Deployment::SetUpBucket() {
  TRY(services_.bucket.Create());
  if (Result<void> tagged = services_.bucket.PutTags(Tags("-unfinished")); !tagged) {
    // Without it nobody could tell that it is llama's. It goes unless something is in it.
    static_cast<void>(services_.bucket.Delete());
    return tagged;
  }
  TRY(services_.bucket.PutEncryption());
  TRY(services_.bucket.PutPublicAccessBlock());
  TRY(services_.bucket.PutLifecycle({{.id = "llama-expiry",
                                      .prefix = wish_.scope.prefix,
                                      .expire_days = kObjectDays,
                                      .abort_incomplete_multipart_days = 1}}));
  return services_.bucket.PutTags(Tags());
}

Result<void> Deployment::EmptyBucket() {
  while (true) {
    // From the beginning each time: what was listed is gone.
    ASSIGN_OR_RETURN(const std::vector<std::string> keys, services_.bucket.List());
    if (keys.empty()) return {};
    TRY(services_.bucket.DeleteObjects(keys));
  }
}

Result<void> Deployment::CreateFunction(const DeploymentStep& step) {
  std::string role = wish_.role_arn.empty() ? made_role_arn_ : wish_.role_arn;
  if (role.empty()) {
    ASSIGN_OR_RETURN(const IamRole found, services_.iam.GetRole(wish_.scope.role));
    role = found.arn;
  }
  LambdaConfiguration configuration = step.configuration;
  if (!step.replaces) {
    configuration.memory_mb = wish_.memory_mb.value_or(kDefaultMemoryMb);
    configuration.timeout_s = wish_.timeout_s.value_or(kDefaultTimeoutS);
    configuration.tmp_mb = wish_.tmp_mb.value_or(kDefaultTmpMb);
    configuration.environment = {{"LLAMA_STORE", wish_.store_url}};
  }
  const std::string& name = wish_.scope.function;
  if (step.replaces) TRY(services_.lambda.Delete(name));
  TRY(services_.lambda.Create(name, role, wish_.code, configuration, Tags()));
  TRY(services_.lambda.AwaitReady(name));
  return {};
}

// Lambda takes one change at a time.
Result<void> Deployment::ChangeFunction(const DeploymentStep& step) {
  TRY(services_.lambda.AwaitReady(step.name));
  if (!step.configuration.Empty()) {
    TRY(services_.lambda.UpdateConfiguration(step.name, step.configuration));
    TRY(services_.lambda.AwaitReady(step.name));
  }
  if (step.update_code) {
    TRY(services_.lambda.UpdateCode(step.name, wish_.code));
    TRY(services_.lambda.AwaitReady(step.name));
  }
  return {};
}

Result<void> Deployment::CarryOut(const DeploymentStep& step) {
  if (step.verb == Verb::kKeep) return {};
  const bool remove = step.verb == Verb::kDelete;
  switch (step.part) {
    case Part::kBucket:
      if (!remove) return SetUpBucket();
      TRY(EmptyBucket());
      return services_.bucket.Delete();
    case Part::kRole: {
      if (remove) return services_.iam.DeleteRole(step.name);
      ASSIGN_OR_RETURN(const IamRole role,
                       services_.iam.CreateRole(step.name, TrustPolicy(),
                                                "What llama's function may do", Tags()));
      made_role_arn_ = role.arn;
      return {};
    }
    case Part::kRolePolicy:
      if (remove) return services_.iam.DeleteRolePolicy(step.name, kPolicyName);
      return services_.iam.PutRolePolicy(step.name, kPolicyName, WorkerPolicy(wish_.scope));
    case Part::kLogGroup:
      if (remove) return services_.logs.DeleteGroup(step.name);
      TRY(services_.logs.CreateGroup(step.name));
      return services_.logs.SetRetention(step.name, kLogDays);
    case Part::kFunction:
      if (remove) return services_.lambda.Delete(step.name);
      return step.verb == Verb::kCreate ? CreateFunction(step) : ChangeFunction(step);
  }
  return {};
}

}  // namespace llama::aws
