#include <algorithm>

#include "aws/control/deployment.h"
#include "job/base64.h"
#include "store/digest.h"

namespace llama::aws {
namespace {

bool IsOurs(const std::map<std::string, std::string>& tags) {
  const auto it = tags.find(std::string(kDeploymentTag));
  return it != tags.end() && it->second.starts_with(kDeploymentTagValue);
}

std::string Sha256Base64(std::string_view bytes) {
  std::string out;
  job::AppendBase64(out, store::Sha256(bytes).view());
  return out;
}

DeploymentStep Step(Part part, Verb verb, std::string name, std::string detail) {
  DeploymentStep step;
  step.part = part;
  step.verb = verb;
  step.name = std::move(name);
  step.detail = std::move(detail);
  return step;
}

Result<DeploymentStep> BucketStep(const DeploymentWish& wish, const DeploymentFound& found) {
  const std::string& name = wish.scope.bucket;
  const std::string how =
      "encrypted, no public access, objects expire after " + std::to_string(kObjectDays) + " days";
  switch (found.bucket) {
    case BucketState::kForeign:
      return Error{Code::kInvalid, "bucket " + name +
                                       " is another account's, or these credentials "
                                       "may not use it; choose another name with --bucket"};
    case BucketState::kAbsent:
      return Step(Part::kBucket, Verb::kCreate, name, how);
    case BucketState::kOurs:
      break;
  }
  const auto tag = found.bucket_tags.find(std::string(kDeploymentTag));
  if (!IsOurs(found.bucket_tags)) {
    return Step(Part::kBucket, Verb::kKeep, name, "yours, used as it is");
  }
  if (tag->second == kDeploymentTagValue) return Step(Part::kBucket, Verb::kKeep, name, "");
  return Step(Part::kBucket, Verb::kChange, name, "finish what was begun: " + how);
}

void AddRoleSteps(const DeploymentWish& wish, const DeploymentFound& found,
                  std::vector<DeploymentStep>& steps) {
  if (!wish.role_arn.empty()) {
    steps.push_back(Step(Part::kRole, Verb::kKeep, wish.role_arn, "yours, used as it is"));
    return;
  }
  const std::string& name = wish.scope.role;
  if (found.role && !IsOurs(found.role->tags)) {
    steps.push_back(Step(Part::kRole, Verb::kKeep, name, "yours, used as it is"));
    return;
  }
  steps.push_back(Step(Part::kRole, found.role ? Verb::kKeep : Verb::kCreate, name,
                       found.role ? "" : "lambda.amazonaws.com may become it"));
  const std::string what = "read and write objects of the bucket, write its log";
  const bool same = found.role_policy == WorkerPolicy(wish.scope);
  const Verb verb = same ? Verb::kKeep : found.role_policy.empty() ? Verb::kCreate : Verb::kChange;
  steps.push_back(Step(Part::kRolePolicy, verb, name, same ? "" : what));
}

void AddLogStep(const DeploymentWish& wish, const DeploymentFound& found,
                std::vector<DeploymentStep>& steps) {
  const std::string name = LogGroupOf(wish.scope.function);
  if (!found.log_group_unknown.empty()) {
    steps.push_back(
        Step(Part::kLogGroup, Verb::kKeep, name, "left to Lambda: " + found.log_group_unknown));
  } else if (found.log_group) {
    steps.push_back(Step(Part::kLogGroup, Verb::kKeep, name, ""));
  } else {
    steps.push_back(Step(Part::kLogGroup, Verb::kCreate, name,
                         "kept for " + std::to_string(kLogDays) + " days"));
  }
}

std::string Numbers(int64_t memory_mb, int64_t timeout_s, int64_t tmp_mb) {
  return std::to_string(memory_mb) + " MB, " + std::to_string(timeout_s) + " s, /tmp " +
         std::to_string(tmp_mb) + " MB";
}

void AddText(std::string& list, const std::string& text) {
  list.append(list.empty() ? "" : ", ").append(text);
}

DeploymentStep ChangeStep(const DeploymentWish& wish, const LambdaFunction& function) {
  DeploymentStep step = Step(Part::kFunction, Verb::kChange, wish.scope.function, "");
  step.update_code = !wish.code.zip.empty() && function.package_type != "Image" &&
                     function.code_sha256 != Sha256Base64(wish.code.zip);
  if (step.update_code) AddText(step.detail, "code of this version of llama");
  const auto number = [&](const char* what, const std::optional<int64_t>& wanted, int64_t is,
                          std::optional<int64_t>& change) {
    if (!wanted || *wanted == is) return;
    change = wanted;
    AddText(step.detail,
            std::string(what) + " " + std::to_string(is) + " → " + std::to_string(*wanted));
  };
  number("memory", wish.memory_mb, function.memory_mb, step.configuration.memory_mb);
  number("timeout", wish.timeout_s, function.timeout_s, step.configuration.timeout_s);
  number("/tmp", wish.tmp_mb, function.tmp_mb, step.configuration.tmp_mb);
  const auto store = function.environment.find("LLAMA_STORE");
  if (store == function.environment.end() || store->second != wish.store_url) {
    step.configuration.environment = function.environment;
    (*step.configuration.environment)["LLAMA_STORE"] = wish.store_url;
    AddText(step.detail, "its bucket");
  }
  if (!step.update_code && step.configuration.Empty()) step.verb = Verb::kKeep;
  return step;
}

// The same function under a role that is about to be made.
DeploymentStep ReplaceStep(const DeploymentWish& wish, const LambdaFunction& function) {
  DeploymentStep step = Step(Part::kFunction, Verb::kCreate, wish.scope.function,
                             "in the place of the one that was granted to the role before");
  step.replaces = true;
  step.configuration.memory_mb = wish.memory_mb.value_or(function.memory_mb);
  step.configuration.timeout_s = wish.timeout_s.value_or(function.timeout_s);
  step.configuration.tmp_mb = wish.tmp_mb.value_or(function.tmp_mb);
  step.configuration.environment = function.environment;
  (*step.configuration.environment)["LLAMA_STORE"] = wish.store_url;
  return step;
}

DeploymentStep FunctionStep(const DeploymentWish& wish, const DeploymentFound& found) {
  if (found.function && !IsOurs(found.function->tags)) {
    return Step(Part::kFunction, Verb::kKeep, wish.scope.function, "yours, used as it is");
  }
  const bool role_is_new = wish.role_arn.empty() && !found.role;
  // Of an image nothing says here where it came from, unless --image does.
  const bool has_code =
      found.function && ((found.function->package_type != "Image") == wish.code.image_uri.empty());
  if (role_is_new && has_code) return ReplaceStep(wish, *found.function);
  if (found.function) return ChangeStep(wish, *found.function);
  return Step(
      Part::kFunction, Verb::kCreate, wish.scope.function,
      (wish.code.image_uri.empty() ? "" : "image " + wish.code.image_uri + ", ") +
          Numbers(wish.memory_mb.value_or(kDefaultMemoryMb),
                  wish.timeout_s.value_or(kDefaultTimeoutS), wish.tmp_mb.value_or(kDefaultTmpMb)));
}

}  // namespace

std::string_view PartName(Part part) {
  constexpr std::string_view kNames[] = {"bucket", "role", "role policy", "log group", "function"};
  return kNames[static_cast<size_t>(part)];
}

std::string_view VerbName(Verb verb) {
  constexpr std::string_view kNames[] = {"keep", "create", "change", "delete"};
  return kNames[static_cast<size_t>(verb)];
}

Result<std::vector<DeploymentStep>> PlanCreation(const DeploymentWish& wish,
                                                 const DeploymentFound& found) {
  std::vector<DeploymentStep> steps;
  ASSIGN_OR_RETURN(DeploymentStep bucket, BucketStep(wish, found));
  steps.push_back(std::move(bucket));
  AddRoleSteps(wish, found, steps);
  AddLogStep(wish, found, steps);
  steps.push_back(FunctionStep(wish, found));
  return steps;
}

std::vector<DeploymentStep> PlanRemoval(const DeploymentWish& wish, const DeploymentFound& found) {
  std::vector<DeploymentStep> steps;
  const std::string foreign = "not made by llama bootstrap";
  const bool function_ours = found.function && IsOurs(found.function->tags);
  const auto add = [&](Part part, bool ours, const std::string& name) {
    steps.push_back(Step(part, ours ? Verb::kDelete : Verb::kKeep, name, ours ? "" : foreign));
  };
  if (found.function) add(Part::kFunction, function_ours, wish.scope.function);
  // It has no tags. Of a run that ended before there was a function the role tells.
  const bool role_ours = found.role && IsOurs(found.role->tags);
  const bool log_ours = function_ours || (!found.function && role_ours);
  if (found.log_group) add(Part::kLogGroup, log_ours, LogGroupOf(wish.scope.function));
  if (found.role) {
    if (role_ours && !found.role_policy.empty()) add(Part::kRolePolicy, true, wish.scope.role);
    add(Part::kRole, role_ours, wish.scope.role);
  }
  if (found.bucket != BucketState::kAbsent) {
    const bool ours = found.bucket == BucketState::kOurs && IsOurs(found.bucket_tags);
    add(Part::kBucket, ours, wish.scope.bucket);
    if (ours) steps.back().detail = "with every object in it";
  }
  return steps;
}

}  // namespace llama::aws
