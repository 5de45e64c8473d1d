// The USE table: of every resource that a build needs, how busy it was (utilisation), for how much
// of the time work waited for it (saturation), and what failed on it (errors). docs/report.md says
// where each cell comes from; one that the trace can't tell is absent, not 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/units/job_slots.h"
#include "analysis/units/units.h"
#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama {
class JsonWriter;
}

namespace llama::analysis {

struct UseRow {
  std::string_view resource;  // "cpu": for programs
  std::string_view title;     // "local CPU": for people
  // Shares, from 0 to 1. Where the capacity is not known the utilisation is of the most that was
  // seen, so the true one is at most that.
  std::optional<double> utilisation;
  bool at_most = false;
  std::optional<double> peak;        // of the busiest sample of the machine, about a second
  std::optional<double> saturation;  // of the wall clock
  std::optional<uint64_t> errors;
  std::string note;                                           // the figures behind it, for people
  std::vector<std::pair<std::string_view, int64_t>> figures;  // and for programs
};

// Nine rows, always: cpu, memory, disk, uplink, downlink, store, functions, slots, worker_cpu.
std::vector<UseRow> MeasureUse(const traces::Columns& trace, const Units& units,
                               const JobSlots& slots);

void WriteUse(const std::vector<UseRow>& rows, TextWriter& out);
// A key "use" with an array.
void AddUseJson(const std::vector<UseRow>& rows, JsonWriter& json);

}  // namespace llama::analysis
