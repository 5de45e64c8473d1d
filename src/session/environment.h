// The environment variables that a wrapper hands to the daemon: those that change what a compiler
// does or how llama treats the job. Everything else stays with the wrapper.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llama::session {

bool IsRelevantVariable(std::string_view name);
std::vector<std::string> RelevantEnvironment(const char* const* environ);

// The value of `name` in "K=V" strings, or nullptr. Valid as long as `env` is.
const char* FindVariable(const std::vector<std::string>& env, std::string_view name);

}  // namespace llama::session
