// Job slots: how many jobs a build's command lets run at once, as far as its command line and
// MAKEFLAGS say: make, ninja, and cmake --build, also behind env, nice and the like.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/units/units.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

inline constexpr int64_t kUnlimitedJobs = 0;

// kUnlimitedJobs for `make -j`; nothing where the command is of another kind. `cpus` is what
// ninja's default depends on.
std::optional<int64_t> JobsOfCommand(const std::vector<std::string>& command,
                                     std::string_view makeflags, int64_t cpus);

struct JobSlots {
  int64_t count = 0;   // ≥ 1, or kUnlimitedJobs
  bool known = false;  // from the command; if not, it is the most that was seen to run
  // Whether `running` units (a mean over some time) take all slots, or nearly.
  bool AllTaken(double running) const {
    return count != kUnlimitedJobs && running >= static_cast<double>(count) * 0.85;
  }
};

// As the `build` span says in `jobs`, or its `command`; more if more were seen to run.
JobSlots FindJobSlots(const traces::Columns& trace, const Units& units);

}  // namespace llama::analysis
