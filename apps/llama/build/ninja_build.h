// ninja's graph of a build that `llama build` ran, kept beside its trace.
#pragma once

#include <string>
#include <vector>

namespace llama::app {

// If `command`, which ran in `cwd`, is ninja: what its graph says goes to the build's folder
// (analysis/graph/graph_file.h). Within seconds; a graph that can't be had is none.
void KeepNinjaGraph(const std::vector<std::string>& command, const std::string& cwd,
                    const std::vector<std::string>& env, const std::string& build_dir);

}  // namespace llama::app
