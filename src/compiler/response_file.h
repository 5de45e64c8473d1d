// @file arguments, expanded as gcc (libiberty's expandargv) and clang do: the file's words take the
// argument's place, quotes and backslashes as in a shell, nested to a limit. An argument whose file
// can't be read stands for itself. One that can be read but once is left to the compiler.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::compiler {

// Relative names are relative to `cwd`. kInvalid: too deep, or too large, to be meant;
// a pipe, or a file of the process's own.
Result<std::vector<std::string>> ExpandResponseFiles(const std::vector<std::string>& args,
                                                     const std::string& cwd);

// The words of one file.
std::vector<std::string> SplitResponse(std::string_view text);

}  // namespace llama::compiler
