// ninja's graph of a build that `llama build` ran, kept beside its trace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llama::app {

// If `command`, which ran in `cwd`, is ninja, or `cmake --build` of a tree of its: what its graph
// says goes to the build's folder (analysis/graph/graph_file.h). Within seconds; a graph that can't
// be had is none.
void KeepNinjaGraph(const std::vector<std::string>& command, const std::string& cwd,
                    const std::vector<std::string>& env, const std::string& build_dir);

// If that command is ninja: how many steps it would run if it was started again, in the same folder
// for the same targets. None if that can't be known, within seconds.
std::optional<uint64_t> NinjaStepsLeft(const std::vector<std::string>& command,
                                       const std::string& cwd, const std::vector<std::string>& env);

}  // namespace llama::app
