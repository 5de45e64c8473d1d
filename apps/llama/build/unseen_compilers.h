// Compilers that a build runs without llama: by their absolute paths, as most trees that CMake
// configured do.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace llama::app {

// Of the processes below `ancestor` one that is a compiler, and none that the wrapper became, which
// has no `masquerade` in its PATH any more: by the name that it was called by or, if that is no
// path, by its program's; none if there is none now. Takes some system calls for each process below
// it.
std::optional<std::string> FindRunningCompiler(pid_t ancestor, const std::string& masquerade);

// The folder that CMake configured in which `command`, run in `cwd`, builds; empty: none is known.
std::string CMakeTreeOf(const std::vector<std::string>& command, const std::string& cwd);

// What is wrong and what to do, for a build with such a compiler. `tree` as CMakeTreeOf has it.
std::string UnseenText(const std::string& compiler, const std::string& tree,
                       const std::string& wrapper);

}  // namespace llama::app
