// The file `graph` beside a build's trace: the build system's own graph, as it was when the build
// ended (docs/trace_format.md, "The graph"). It is read leniently: a damaged one is a shorter one.
//
//   llamagr1\n   then for each step: its output, each of its inputs, and nothing, each ended by a
//   zero byte. Paths are absolute.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/graph/build_graph.h"
#include "base/result.h"

namespace llama::analysis {

std::string GraphPath(const std::string& build_dir);
// Whole or not at all, mode 0600.
Result<void> WriteGraph(const std::string& build_dir, const std::vector<GraphStep>& steps);
// No folder, no file, or none of ours: no steps.
std::vector<GraphStep> ReadGraph(const std::string& build_dir);

}  // namespace llama::analysis
