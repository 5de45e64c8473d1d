// ninja's own graph: what `ninja -t graph` prints, as steps. What can't be made sense of is left
// out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/graph/build_graph.h"

namespace llama::analysis {

// `folder` is where ninja runs, absolute: names in its graph are relative to it. Inputs that no
// step makes are left out, and steps without any other.
std::vector<GraphStep> ParseNinjaGraph(std::string_view dot, std::string_view folder);

// The absolute path of a name in ninja's files.
std::string NinjaPath(std::string_view name, std::string_view folder);

}  // namespace llama::analysis
