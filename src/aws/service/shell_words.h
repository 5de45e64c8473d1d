// Splitting a line into words as a POSIX shell does, without a shell: quotes and backslashes, but
// no expansion of any kind. AWS's tools read `credential_process` and the names of profiles so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::aws {

// kInvalid: a quote that is not closed, or a backslash at the end.
Result<std::vector<std::string>> SplitShellWords(std::string_view line);

}  // namespace llama::aws
