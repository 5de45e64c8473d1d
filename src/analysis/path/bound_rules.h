// The rule that names what bounded a stretch of time, from what its units did. docs/report.md,
// "Bounds", states it in words.
#pragma once

#include <array>
#include <optional>

#include "analysis/path/bounds.h"
#include "analysis/path/critical_path.h"
#include "analysis/resources/transfers.h"
#include "analysis/units/phase_intervals.h"

namespace llama::analysis {

// Means over the part of a cell in which units ran.
struct CellSituation {
  double busy_share = 0;  // of the cell; 0: nothing ran
  double running = 0;     // units
  std::array<double, kPhases> phases = {};
  bool all_slots_taken = false;
  double cpu_busy = -1;          // of the build host; negative: not known
  int64_t cpus = 0;              // 0: not known
  std::optional<LinkKind> next;  // why the next unit to start did not start before; none: the last
  const Transfers* transfers = nullptr;  // of the whole build

  double in(Phase phase) const { return phases[static_cast<size_t>(phase)]; }
};

Bound BoundOfCell(const CellSituation& cell);

}  // namespace llama::analysis
