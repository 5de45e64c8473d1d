// Bounds: what kept the build from going faster, at each moment. The wall clock is split into
// intervals with one bound each (docs/report.md has the rules), so that the totals add up to it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/graph/build_graph.h"
#include "analysis/units/job_slots.h"
#include "analysis/units/time_grid.h"
#include "analysis/units/units.h"
#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

enum class Bound : uint8_t {
  kSlots,         // all job slots are taken, and their units do nothing but compile
  kWorkers,       // jobs wait for a worker
  kColdStarts,    // jobs wait for new workers to start
  kUplink,        // bytes on their way up
  kDownlink,      // bytes on their way down
  kStore,         // the store's latency, whatever the bytes
  kTransit,       // invocations on their way, whatever the bytes
  kFill,          // what store and new workers lack is brought to them
  kRetries,       // attempts that failed, and waits for the next
  kCpu,           // the build host's own processors
  kDependencies,  // slots are free: what is left needs what is running
  kTail,          // the last units; none is left to start
  kMake,          // slots are free, units are left, and nothing known keeps them from starting
  kIdle,          // no unit runs
};
inline constexpr size_t kBounds = 14;
const char* BoundName(Bound bound);  // for programs: "slots", "workers", "cold-starts", …
const char* BoundText(Bound bound);  // for people: "job slots", "function concurrency", …

struct BoundInterval {
  Bound bound = Bound::kIdle;
  int64_t begin_ns = 0;
  int64_t end_ns = 0;
};

struct Bounds {
  std::array<int64_t, kBounds> total_ns = {};  // adds up to the wall clock
  std::vector<BoundInterval> intervals;        // cover the window; neighbours differ
  int64_t of(Bound bound) const { return total_ns[static_cast<size_t>(bound)]; }
};

// The window of the units in the cells that bounds are found in.
TimeGrid BoundGrid(const Units& units);

Bounds FindBounds(const traces::Columns& trace, const Units& units, const BuildGraph& graph,
                  const JobSlots& slots);

// The totals with their shares, and a strip of the build's time.
std::string FormatBounds(const Bounds& bounds, size_t columns = kTextColumns);

}  // namespace llama::analysis
