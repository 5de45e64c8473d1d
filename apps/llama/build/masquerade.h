// The masquerade folder: links to the wrapper under the names of the compilers, put ahead in PATH,
// so that a build that says `gcc` runs the wrapper with nothing changed in it.
//
// The folder stays at one place, since configure scripts and CMake keep the path of the compiler
// that they found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::app {

// Where a PATH is not set, execvp looks here.
inline constexpr std::string_view kDefaultPath = "/bin:/usr/bin";

// Names of compilers (client::LooksLikeCompiler) that the folders of `path` hold as executables,
// but for those in `except`. Sorted, distinct.
std::vector<std::string> CompilersInPath(std::string_view path, const std::string& except);

// Makes `dir` hold exactly one link to `wrapper` for each of `names`; what is right already is left
// alone, and a link is replaced at once, so builds that run meanwhile notice nothing.
Result<void> UpdateMasquerade(const std::string& dir, const std::string& wrapper,
                              const std::vector<std::string>& names);

// `path` with `dir` first, and nowhere else.
std::string PathWithFirst(const std::string& dir, std::string_view path);

}  // namespace llama::app
