// S3's errors. Within the S3 front an Error's message is "Code: what happened", with one of S3's
// own codes first, which decides the status; any other error is an InternalError to the client.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "emulator/request/message.h"

namespace llama::emulator {

// `code` is one of the table in s3_error.cc.
Error S3Failure(std::string_view code, std::string_view message);

struct S3ErrorView {
  std::string_view code;
  std::string_view message;
  int status = 500;
};
S3ErrorView ViewOf(const Error& error);

// The XML that clients expect. `region` is said where a client can learn from it.
Response S3ErrorResponse(const Error& error, const Request& request, const std::string& region);

}  // namespace llama::emulator
