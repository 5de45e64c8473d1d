// What a request says about a function's configuration, checked as Lambda checks it.
#pragma once

#include "base/result.h"
#include "emulator/lambda/function.h"
#include "emulator/request/lambda_json.h"

namespace llama::emulator {

// Puts those settings into `config` that the request has: Runtime, Role, Handler, Description,
// Timeout, MemorySize, EphemeralStorage, Environment, Architectures.
Result<void> ApplySettings(const JsonObject& request, FunctionConfig& config);

// Of a runtime: one that is nothing but an operating system, for a zip with its own bootstrap.
bool IsProvidedRuntime(std::string_view runtime);

Result<std::map<std::string, std::string>> ReadTags(const JsonObject& request);

}  // namespace llama::emulator
