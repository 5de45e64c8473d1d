// BuildLinks: what a unit had waited for when it started. The rule behind the critical path and
// behind the bounds of times with free slots; docs/report.md, "Critical path", states it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/graph/build_graph.h"
#include "analysis/path/critical_path.h"
#include "analysis/units/job_slots.h"
#include "analysis/units/units.h"

namespace llama::analysis {

class BuildLinks {
 public:
  // Refers to all three.
  BuildLinks(const Units& units, const BuildGraph& graph, const JobSlots& slots);

  struct Link {
    LinkKind kind = LinkKind::kStart;
    std::optional<uint32_t> from;  // the unit that was waited for; it began before
  };
  Link Before(uint32_t unit) const;
  std::optional<uint32_t> LastToEnd() const;

 private:
  std::optional<uint32_t> LastFinisherBefore(uint32_t unit) const;
  std::optional<uint32_t> LastNeeded(uint32_t unit) const;
  bool StartedRightAfter(uint32_t unit, uint32_t before) const;

  const Units& units_;
  const BuildGraph& graph_;
  const JobSlots& slots_;
  std::vector<uint32_t> by_end_;  // units
};

}  // namespace llama::analysis
