// BuildGraph: which units made what others read. Known from what the units themselves recorded
// (their inputs and outputs, docs/trace_format.md), from ninja's own graph where `llama build` kept
// it beside the trace (analysis/graph/graph_file.h), and from the depfiles that compiles left
// behind (analysis/graph/depfiles.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/units/units.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

struct BuildGraph {
  // The units whose outputs unit u reads: needs[offsets[u]] … needs[offsets[u + 1] - 1], each once.
  std::vector<uint32_t> offsets;
  std::vector<uint32_t> needs;
  // The build system's own graph: where it shows no edge there is none. If not, there may be more
  // edges than are known, through commands that llama did not see.
  bool complete = false;

  bool known() const { return !needs.empty(); }
  std::span<const uint32_t> NeedsOf(size_t unit) const {
    if (unit + 1 >= offsets.size()) return {};
    return std::span(needs).subspan(offsets[unit], offsets[unit + 1] - offsets[unit]);
  }
};

// A step of a build system's graph, by absolute paths. Inputs that no step makes may be left out.
struct GraphStep {
  std::string output;
  std::vector<std::string> inputs;
};

// What is known besides the trace.
struct GraphSources {
  std::vector<GraphStep> steps;  // the build system's own graph; empty: there is none
  // Look for the depfiles of units in the folders where they ran. For builds of this machine.
  bool read_depfiles = false;
};

BuildGraph FindGraph(const traces::Columns& trace, const Units& units,
                     const GraphSources& sources = {});

}  // namespace llama::analysis
