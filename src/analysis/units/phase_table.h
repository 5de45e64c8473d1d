// Phases: the spans of one name together, in the order in which a compile goes through them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "traces/columns/columns.h"

namespace llama::analysis {

// Percentiles are by nearest rank: the smallest duration that p % of the spans do not exceed.
struct PhaseStats {
  std::string name;
  int depth = 0;  // below a root's name, for display: 0 is `llamacc` itself
  uint64_t count = 0;
  int64_t sum_ns = 0;
  // sum_ns over the sum of all compiles and commands, or of all roots where there are neither. What
  // runs in several at once within one compile may pass 1.
  double share = 0;
  int64_t self_ns = 0;  // the part of sum_ns in which no span below them ran
  int64_t p50_ns = 0;
  int64_t p95_ns = 0;
  int64_t p99_ns = 0;
  int64_t max_ns = 0;
};

// Of all names but `build` and `machine`, which are no one's work, each behind the one that it
// mostly occurs in.
std::vector<PhaseStats> MeasurePhases(const traces::Columns& trace);

// Where a compile's spans stand in its tree: {depth, order} of a name. Names that are not in
// docs/trace_format.md have the largest order.
struct PhasePlace {
  int depth = 1;
  int order = 1000;
  std::string_view name = "other";  // a constant: the name, if it is a known one
};
PhasePlace PlaceOfPhase(std::string_view name);

}  // namespace llama::analysis
