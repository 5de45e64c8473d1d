// What an AWS service's refusal says, whichever of its dialects it speaks: S3's and the query
// services' XML, the JSON of the others, or a header alone. Reads foreign bytes; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/http/engine.h"

namespace llama::aws {

struct ServiceError {
  std::string code;     // "NoSuchKey", "ResourceNotFoundException"; empty: it names none
  std::string message;  // for a human; may be empty; printable, at most 500 bytes
  std::string reason;   // of Lambda's 429: "ReservedFunctionConcurrentInvocationLimitExceeded"
  // Retry-After (seconds or a date, against the answer's own Date) or Lambda's retryAfterSeconds.
  std::optional<int64_t> retry_after_ms;

  // "NoSuchKey: the message", or as much of it as there is.
  std::string Text() const;
};

ServiceError ReadServiceError(const HttpAnswer& answer);

// Seconds of the Unix epoch; nothing for what is no HTTP date.
std::optional<int64_t> ParseHttpDate(std::string_view text);

}  // namespace llama::aws
