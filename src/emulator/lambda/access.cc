// What a role may do with functions, and what roles of functions have to do with the keys of their
// variables.
#include <string>
#include <vector>

#include "emulator/lambda/front.h"
#include "emulator/request/account.h"
#include "emulator/request/lambda_error.h"
#include "emulator/request/lambda_json.h"

namespace llama::emulator {
namespace {

// "Actions, resources, and condition keys for AWS Lambda" of AWS's service authorization reference:
// named as the operations are, but for these.
std::string ActionOf(std::string_view operation) {
  if (operation == "Invoke") return "lambda:InvokeFunction";
  return "lambda:" + std::string(operation);
}

}  // namespace

Result<void> LambdaFront::CheckRole(const Request& request, const Access& access,
                                    const FunctionName& name, std::string_view operation) const {
  if (!authority_.RoleOf(access.role)) return {};
  std::string function = name.name.empty() ? "*" : "";
  std::string role;
  bool is_tagged = false;
  if (operation == "CreateFunction" || operation == "UpdateFunctionConfiguration") {
    ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
    ASSIGN_OR_RETURN(const auto role_arn, json.String("Role"));
    ASSIGN_OR_RETURN(const auto created, json.String("FunctionName"));
    role = role_arn.value_or("");
    is_tagged = operation == "CreateFunction" && json.Has("Tags");
    if (created) function = FunctionArn(authority_.region(), *created);
  }
  if (function.empty()) function = FunctionArn(authority_.region(), name.name, name.qualifier);
  const auto check = [&](const std::string& action, const std::string& resource) -> Result<void> {
    const auto denied = authority_.Denied(access, action, resource);
    if (denied) return LambdaError("AccessDeniedException", *denied);
    return {};
  };
  TRY(check(ActionOf(operation), function));
  if (is_tagged) TRY(check("lambda:TagResource", function));
  if (!role.empty()) TRY(check("iam:PassRole", role));
  return {};
}

// IAM's answers are ahead of what Lambda and KMS know of a role ("Changes that I make are not
// always immediately visible", IAM user guide). Half of the model's time for the one, half for the
// other.
Result<void> LambdaFront::CheckRoleOf(const Request& request) const {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
  ASSIGN_OR_RETURN(const auto arn, json.String("Role"));
  const std::optional<RoleView> role = authority_.RoleOf(arn.value_or(""));
  const int64_t delay_ns = model_.DrawNs("iam.role_delay");
  if (!role || delay_ns == 0) return {};
  const int64_t age_ns = clock_.NowNs() - role->created_ns;
  if (age_ns >= delay_ns) return {};
  if (age_ns < delay_ns / 2) {
    return InvalidParameter("The role defined for the function cannot be assumed by Lambda.");
  }
  return InvalidParameter(
      "Lambda was unable to configure access to your environment variables because the KMS key is "
      "invalid for CreateGrant. Please check your KMS key settings. KMS Exception: "
      "InvalidArnException KMS Message: ARN does not refer to a valid principal");
}

// A grant is the role's that there was, not its name's: API reference, Invoke,
// KMSAccessDeniedException.
Result<void> LambdaFront::CheckGrant(const FunctionConfig& config) const {
  const std::optional<RoleView> role = authority_.RoleOf(config.role);
  if (config.environment.empty() || config.granted_role.empty()) return {};
  if (role && role->id == config.granted_role) return {};
  return LambdaError("KMSAccessDeniedException",
                     "Lambda was unable to decrypt the environment variables because KMS access "
                     "was denied. Please check the function's KMS key settings. KMS Exception: "
                     "AccessDeniedException KMS Message: The ciphertext refers to a customer "
                     "master key that does not exist, does not exist in this region, or you are "
                     "not allowed to access.");
}

}  // namespace llama::emulator
