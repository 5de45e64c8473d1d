// What `llama bootstrap` and `llama function` have in common: a function's settings as options, and
// its code, made of the llama-runtime beside this program.
#pragma once

#include <optional>
#include <string>

#include "aws/control/lambda_control.h"
#include "aws/settings/settings.h"
#include "base/result.h"
#include "llama/command.h"

namespace llama::app {

// --memory, --timeout and --tmp within Lambda's bounds; those that were not given stay empty.
Result<aws::LambdaConfiguration> ParseLimits(const ParsedArguments& parsed);
// --env K=V, each of them.
Result<std::map<std::string, std::string>> ParseVariables(const ParsedArguments& parsed);

// Code for the processor that `program` is for: a zip of it (empty: the llama-runtime beside this
// program) as `bootstrap`, and of `ca_file` (empty: none) as ca.pem. kInvalid if Lambda would
// refuse it for its size.
Result<aws::LambdaCode> MakeWorkerCode(const std::string& program, const std::string& ca_file);

// The function's LLAMA_STORE for objects at `location` ("s3://…"), as these settings reach S3.
Result<std::string> StoreUrlOf(const aws::Settings& settings, const std::string& location);

}  // namespace llama::app
