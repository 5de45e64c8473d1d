// An environment as a list of "K=V" strings: what a process is started with, and what travels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llama {

// The value of `name`, the first if there are several, as getenv(3) has it; nullptr if it is not
// set. Valid as long as `env` is.
const char* FindVariable(const std::vector<std::string>& env, std::string_view name);

// The same, or `otherwise` if it is not set.
std::string_view VariableOr(const std::vector<std::string>& env, std::string_view name,
                            std::string_view otherwise);

// In its place if there is one, else at the end.
void SetVariable(std::vector<std::string>& env, std::string_view name, std::string_view value);

}  // namespace llama
