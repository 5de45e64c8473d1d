// Workers: what each process that ran a build's jobs did, and how far its clock was off.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama {
class JsonWriter;
}

namespace llama::analysis {

struct Worker {
  traces::StringId id = 0;
  uint64_t jobs = 0;         // invocations that it answered
  uint64_t cold_starts = 0;  // of these, with its own start before them
  int64_t init_ns = 0;       // that those took
  int64_t first_ns = 0;      // when its first job began, by the client's clock
  int64_t last_ns = 0;       // when its last one ended
  int64_t busy_ns = 0;       // Σ of its `worker` spans; of its invocations, where it sent none
  int64_t idle_ns = 0;       // of the time from the first to the last: no job
  int64_t cpu_ns = 0;        // of the compilers
  int64_t billed_ms = 0;
  int64_t fetched_bytes = 0;
  // What has to be added to its clock, and how far the truth may be from that. Absent where the
  // trace does not say (traces/columns/columns.h, WorkerClock).
  std::optional<int64_t> clock_offset_ns;
  int64_t clock_uncertainty_ns = 0;
};

struct Workers {
  std::vector<Worker> all;    // the busiest first, then by first job
  uint64_t unattributed = 0;  // invocations that name no worker
  int64_t busy_ns = 0;        // of all
  int64_t idle_ns = 0;
  uint64_t clocks = 0;        // of them, with a known offset
  int64_t max_offset_ns = 0;  // the largest, either way
  int64_t max_uncertainty_ns = 0;
};

Workers FindWorkers(const traces::Columns& trace);

void WriteWorkers(const traces::Columns& trace, const Workers& workers, TextWriter& out);
// A key "workers" with an object.
void AddWorkersJson(const traces::Columns& trace, const Workers& workers, JsonWriter& json);

}  // namespace llama::analysis
