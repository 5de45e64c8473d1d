// Machine: what the build host is busy with, as one span for each interval between two samples
// (docs/trace_format.md, `machine`): processor, memory, disk and network by /proc, and how long
// work waited for them by the kernel's pressure stall information where it has that.
//
// Not thread-safe: whoever samples owns it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "trace/span.h"

namespace llama::daemon {

// Counters that only grow, and gauges, of one moment. What the system does not tell is absent.
struct MachineReading {
  int64_t time_ns = 0;  // on the wall clock
  int64_t monotonic_ns = 0;
  std::vector<std::pair<std::string, int64_t>> counters;  // recorded as their growth
  std::vector<std::pair<std::string, int64_t>> gauges;    // recorded as they are
};

// `proc` is "/proc" but in tests.
MachineReading ReadMachine(const std::string& proc, const Clock& clock);

// The part of a sample within [begin, end) on the wall clock: of its counters the share that this
// part has of its time, as if they had grown evenly; gauges as they are. Nothing, if no part is.
std::optional<trace::Span> CutSample(const trace::Span& sample, int64_t begin_ns, int64_t end_ns);

class Machine {
 public:
  explicit Machine(const Clock& clock, std::string proc = "/proc")
      : clock_(clock), proc_(std::move(proc)) {}

  // The interval since the last call as a span without ids; nothing at the first call, or when the
  // last was over a minute ago.
  std::optional<trace::Span> Sample();

 private:
  const Clock& clock_;
  const std::string proc_;
  std::optional<MachineReading> last_;
};

}  // namespace llama::daemon
