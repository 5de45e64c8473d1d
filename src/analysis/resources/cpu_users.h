// CpuUsers: who had the build host's processors while a build ran, by its machine samples: the
// build itself, the daemon and what it runs, workers of the embedded cloud, the daemon's other
// builds, and programs that are none of llama's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "traces/columns/columns.h"

namespace llama::analysis {

// Nanoseconds of processor time. All but `children_ns` add up to all that was used.
struct CpuUsers {
  double build_ns = 0;
  double daemon_ns = 0;    // and what it ran
  double children_ns = 0;  // of daemon_ns: cc -M, audits
  double workers_ns = 0;   // for this build
  double other_builds_ns = 0;
  double other_programs_ns = 0;
  double used_ns() const {
    return build_ns + daemon_ns + workers_ns + other_builds_ns + other_programs_ns;
  }
};

// Of [begin, end), the part that counts: 0 to 1.
using TimeWeight = std::function<double(int64_t begin_ns, int64_t end_ns)>;

// None if the samples don't tell whose time it was. `weight` may be empty: all of it counts.
std::optional<CpuUsers> MeasureCpuUsers(const traces::Columns& trace, std::optional<uint32_t> build,
                                        const TimeWeight& weight = {});

}  // namespace llama::analysis
