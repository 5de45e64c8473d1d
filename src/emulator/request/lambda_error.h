// Lambda's own errors. They travel as Errors whose message is "SomeException: text", and become
// what a client sees at the front: a status, x-amzn-errortype and a JSON body.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "emulator/request/message.h"

namespace llama::emulator {

// `type` is one of the table in lambda_error.cc: "ResourceNotFoundException", ….
Error LambdaError(std::string_view type, std::string_view text);
Error InvalidParameter(std::string_view text);

// The answer for any error; one that isn't Lambda's is its ServiceException.
Response LambdaErrorResponse(const Error& error);
Response LambdaJson(int status, std::string body);

}  // namespace llama::emulator
