// Base64 with '=' padding (RFC 4648, section 4).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::job {

void AppendBase64(std::string& out, std::string_view bytes);
// Strict: kInvalid for any other byte, a wrong length, or bits that no encoder leaves.
Result<std::string> DecodeBase64(std::string_view text);

}  // namespace llama::job
