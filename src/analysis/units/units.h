// Units: the pieces of work that a build waits for, one for each `llamacc` or `command` root, and
// how many of them ran at each moment. The analyses (weighted time, parallelism, bounds, critical
// path, findings) all look at the same units in the same window, so that their figures add up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "traces/columns/columns.h"

namespace llama::analysis {

// One unit, cut to the window: what ran outside of it took none of the build's time.
struct Unit {
  int64_t start_ns = 0;
  int64_t end_ns = 0;   // ≥ start_ns
  traces::Row row = 0;  // its root span
  bool remote = false;
  std::optional<traces::StringId> folder = {};  // that it ran in
  int64_t duration_ns() const { return end_ns - start_ns; }
};

// From `time_ns` to the next step's time so many units ran.
struct RunningStep {
  int64_t time_ns = 0;
  uint32_t running = 0;
};

struct Units {
  // The build, or from the first span's start to the last one's end where its span is missing.
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  std::optional<uint32_t> build;         // what FindUnits was asked for
  std::optional<traces::Row> build_row;  // the `build` span, if there is one
  std::vector<Unit> all;                 // by start, then by row
  // Covers the window: the first step is at start_ns, the last at end_ns. None if the window is
  // empty.
  std::vector<RunningStep> steps;
  uint32_t peak = 0;    // the most that ran at once
  int64_t idle_ns = 0;  // of the window: nothing ran

  int64_t wall_ns() const { return end_ns - start_ns; }
  // How many ran just before `time_ns`.
  uint32_t RunningBefore(int64_t time_ns) const;
};

// Of one build (an index into Columns::builds()), or of all that was read.
Units FindUnits(const traces::Columns& trace, std::optional<uint32_t> build = std::nullopt);

// What to call a unit: its source, or else its object, command, or reason. Not yet fit for a
// terminal (base/text/format.h, Printable).
std::string UnitLabel(const traces::Columns& trace, traces::Row row);

}  // namespace llama::analysis
