// What a refusal of a control plane (Lambda's, IAM's, CloudWatch Logs') means to a command.
#pragma once

#include <string_view>

#include "aws/service/service.h"
#include "base/result.h"

namespace llama::aws {

// `action` is IAM's name of what was asked ("lambda:CreateFunction"), `object` what for.
//   404 and the services' "not found": kNotFound
//   conflicts that pass (a function that is being changed): kUnavailable
//   no permission, wrong parameters, what exists already: kInvalid
Error ControlError(const HttpAnswer& answer, std::string_view action, std::string_view object);

}  // namespace llama::aws
