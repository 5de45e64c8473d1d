// BuildSamples: what the machine did while builds ran, in the trace of each of them as far as it
// lies within it (docs/trace_format.md, `machine`). What the counters grew by before a build began,
// or after it had ended, is none of its. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "daemon/record/builds.h"
#include "daemon/record/machine.h"
#include "daemon/record/process_cpu.h"

namespace llama::daemon {

class BuildSamples {
 public:
  // Of the embedded cloud, now.
  struct Workers {
    int64_t all = 0;
    int64_t busy = 0;
    std::vector<pid_t> pids = {};
  };

  // Refers to `builds`. `proc` is "/proc" but in tests.
  BuildSamples(Builds& builds, const Clock& clock, std::string proc = "/proc")
      : builds_(builds), machine_(clock, proc), processes_(std::move(proc)) {}

  // Right before another build begins: its first interval begins now.
  void BeforeBegin(const Workers& workers) { Take(workers, {}, 0); }
  // About once a second.
  void Tick(const Workers& workers);
  // Before the build's record ends: its last interval ends at `end_ns` on the wall clock.
  void BeforeEnd(const Workers& workers, const std::string& id, int64_t end_ns) {
    Take(workers, id, end_ns);
  }

 private:
  void Take(const Workers& workers, const std::string& ending, int64_t end_ns);

  Builds& builds_;
  Mutex mutex_;
  Machine machine_ GUARDED_BY(mutex_);
  ProcessCpu processes_ GUARDED_BY(mutex_);
};

}  // namespace llama::daemon
