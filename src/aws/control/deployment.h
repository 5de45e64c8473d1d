// Deployment: what builds in the cloud stand on: a bucket, a role, a log group, a function. Looks
// at what is there, plans what is missing, and carries the plan out step by step; takes it down
// again.
//
// Rules: what is there is changed only where it is ours (carries kDeploymentTag) and differs from
// what was asked for; what is not ours is used as it is, and never deleted. Every step may be
// repeated: a bucket that was left half set up is marked by its tags until it is whole.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/control/iam.h"
#include "aws/control/lambda_control.h"
#include "aws/control/logs.h"
#include "aws/control/policies.h"
#include "aws/s3/bucket.h"
#include "base/result.h"

namespace llama::aws {

inline constexpr std::string_view kDeploymentTag = "created-by";
inline constexpr std::string_view kDeploymentTagValue = "llama-bootstrap";

// 1,769 MB are one whole vCPU. /tmp holds the mirror of a toolchain and headers: 2 GB instead of
// the 512 MB that cost nothing raise the price by 0.2 %.
inline constexpr int64_t kDefaultMemoryMb = 1'769;
inline constexpr int64_t kDefaultTimeoutS = 900;
inline constexpr int64_t kDefaultTmpMb = 2'048;
inline constexpr int kObjectDays = 30;
inline constexpr int kLogDays = 14;

struct DeploymentWish {
  PolicyScope scope;     // region, account, bucket, prefix, function, role
  std::string role_arn;  // one of the user's own; empty: scope.role is made
  LambdaCode code;
  std::string store_url;             // LLAMA_STORE of the function
  std::optional<int64_t> memory_mb;  // nothing: the default for a new function,
  std::optional<int64_t> timeout_s;  // and as it is for one that is there
  std::optional<int64_t> tmp_mb;
};

struct DeploymentFound {
  BucketState bucket = BucketState::kAbsent;
  std::map<std::string, std::string> bucket_tags;
  std::optional<IamRole> role;
  std::string role_policy;
  std::optional<LambdaFunction> function;
  bool log_group = false;
  std::string log_group_unknown;  // not empty: why it can't be known
};

enum class Part : unsigned char { kBucket, kRole, kRolePolicy, kLogGroup, kFunction };
enum class Verb : unsigned char { kKeep, kCreate, kChange, kDelete };
std::string_view PartName(Part part);  // "bucket", …
std::string_view VerbName(Verb verb);  // "keep", …

struct DeploymentStep {
  Part part = Part::kBucket;
  Verb verb = Verb::kKeep;
  std::string name;
  std::string detail;                 // for a human: settings, or why it is kept
  bool update_code = false;           // kFunction, kChange
  LambdaConfiguration configuration;  // kFunction, kChange
  // kFunction, kCreate: the one that is there goes first. What Lambda was granted for a function's
  // role ends with the role: one of the same name is another, and each invocation would end with
  // KMSAccessDeniedException.
  bool replaces = false;
};

// Pure. kInvalid: it can't be done, as the bucket is somebody else's.
Result<std::vector<DeploymentStep>> PlanCreation(const DeploymentWish& wish,
                                                 const DeploymentFound& found);
// What is ours is deleted, in an order that leaves nothing without its owner; the rest is kept.
std::vector<DeploymentStep> PlanRemoval(const DeploymentWish& wish, const DeploymentFound& found);

class Deployment {
 public:
  struct Services {
    S3Bucket& bucket;
    Iam& iam;
    LambdaControl& lambda;
    Logs& logs;
  };
  // All must outlive this.
  Deployment(DeploymentWish wish, Services services)
      : wish_(std::move(wish)), services_(services) {}

  Result<DeploymentFound> Look();
  Result<void> CarryOut(const DeploymentStep& step);
  const DeploymentWish& wish() const { return wish_; }

 private:
  Result<void> SetUpBucket();
  Result<void> EmptyBucket();
  Result<void> CreateFunction(const DeploymentStep& step);
  Result<void> ChangeFunction(const DeploymentStep& step);

  const DeploymentWish wish_;
  Services services_;
  std::string made_role_arn_;
};

}  // namespace llama::aws
