// BuildProfile: what a comparison needs to know of one build, without its spans. So builds are
// loaded one after the other, and any number of them can be laid side by side.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/path/bounds.h"
#include "builds/record.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

// One compile or command.
struct UnitProfile {
  std::string name;      // what joins it with that of another build: its output and its input
  uint32_t ordinal = 0;  // of several with this name, by start: the first is 0
  int64_t duration_ns = 0;
  bool remote = false;
  std::string_view mostly;  // the phase that took most of it, by self time; of the profile's phases
};

// Time spent in spans of one path, "llamacc>invoke>worker>exec", and in none below them.
struct PhaseTime {
  std::string path;
  int64_t self_ns = 0;
};

// Durations of the spans of one name.
struct PhaseDurations {
  std::string name;
  std::vector<int64_t> ns;
};

// Figures by a name for programs. Which there are is the same for every build; what a build does
// not tell is absent.
enum class FigureUnit : uint8_t { kNs, kBytes, kCount, kUsd };
struct Figure {
  std::string_view key;
  std::string_view title;
  FigureUnit unit = FigureUnit::kNs;
  std::optional<int64_t> value;  // kUsd: millionths of a dollar
};

struct BuildProfile {
  std::string id;  // or the path of the trace
  std::string name;
  int64_t start_ns = 0;
  int64_t wall_ns = 0;
  bool finished = false;
  std::string outcome;  // why it is no measure of another: "FAILED a.c:3 …"; empty if it is one
  std::vector<Figure> figures;
  std::array<int64_t, kBounds> bounds_ns = {};  // adds up to wall_ns
  std::vector<PhaseTime> phases;                // of all spans but `build` and `machine`
  std::vector<PhaseDurations> durations;        // `unit` (every compile and command) first
  std::vector<UnitProfile> units;
  // What it was built with, by name, for people: command, compiler, jobs, memory, …
  std::vector<std::pair<std::string, std::string>> configuration;
};

// `record` may say what the trace does not. Paths below the build's working directory are taken
// relative to it, so that the same tree in two folders is the same.
BuildProfile ProfileBuild(const traces::Columns& trace, const std::string& id,
                          const builds::BuildRecord* record);

}  // namespace llama::analysis
