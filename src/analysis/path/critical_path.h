// The critical path: from the unit that ended last back to the start of the build, at each unit to
// what it had waited for. Shortening anything else would not have ended the build sooner.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/graph/build_graph.h"
#include "analysis/units/job_slots.h"
#include "analysis/units/unit_names.h"
#include "analysis/units/units.h"
#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

// What a unit of the path waited for before it started.
enum class LinkKind : uint8_t {
  kStart,       // nothing of the build's units
  kDependency,  // the unit before it in the path: the graph says that it made an input
  kFollowed,    // the same by its timing: it started right when that one ended, with slots free
  kSlot,        // a job slot, which the unit before it in the path gave up
  kLate,        // it could have started, and a slot was free: the build system came to it late
};
const char* LinkKindName(LinkKind kind);  // "start", "dependency", "followed", "slot", "late"

struct PathLink {
  uint32_t unit = 0;  // index into Units::all
  LinkKind kind = LinkKind::kStart;
  int64_t gap_ns = 0;   // from the end of the unit before it to its own start
  int64_t time_ns = 0;  // its own share of the path: its duration until the next one starts
  int64_t low_ns = 0;   // of that: slots were free, and few units ran beside it
};

struct CriticalPath {
  std::vector<PathLink> links;  // in order of time
  // The graph is known. If not, the path is an estimate: the chain of last finishers.
  bool from_graph = false;
  int64_t before_ns = 0;  // from the start of the build to the first unit's
  int64_t units_ns = 0;   // Σ time_ns
  int64_t gaps_ns = 0;    // Σ gap_ns
  int64_t after_ns = 0;   // from the last unit's end to the build's
  // "Few": low_ns counts time with at most so many units running.
  int64_t few = 0;
};

// before + units + gaps + after = the wall clock, to the nanosecond.
CriticalPath FindCriticalPath(const Units& units, const BuildGraph& graph, const JobSlots& slots);

// The longest `count` links in order of time, with what is left out between them; empty if there
// are no units.
std::string FormatCriticalPath(const UnitNames& names, const Units& units, const CriticalPath& path,
                               size_t count, size_t columns = kTextColumns);

}  // namespace llama::analysis
