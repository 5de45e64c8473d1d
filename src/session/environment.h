// The environment variables that a wrapper hands to the daemon: those that change what a compiler
// does or how llama treats the job. Everything else stays with the wrapper.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"

namespace llama::session {

bool IsRelevantVariable(std::string_view name);
std::vector<std::string> RelevantEnvironment(const char* const* environ);

using llama::FindVariable;

}  // namespace llama::session
