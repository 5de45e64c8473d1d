// ProcessCpu: what llama's processes took of the processors from one look to the next: those of
// each build (`llama build` and all below it), the embedded cloud's workers, and what else the
// daemon runs. What is none of these is other programs'. A look reads every process of the machine.
//
// Not thread-safe: whoever samples owns it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admission/process_tree.h"

namespace llama::daemon {

class ProcessCpu {
 public:
  explicit ProcessCpu(std::string proc = "/proc") : proc_(std::move(proc)) {}

  struct Spent {
    std::map<pid_t, int64_t> builds_ns;  // of those that are there
    int64_t workers_ns = 0;
    int64_t children_ns = 0;  // of the daemon, workers apart
  };
  // Since the last call. What came between has all of its time; the first has none to compare with.
  std::optional<Spent> Take(const std::vector<pid_t>& builds, const std::vector<pid_t>& workers);

 private:
  using Trees = std::map<pid_t, admission::TreeCpu>;

  const std::string proc_;
  std::vector<pid_t> last_workers_;
  std::optional<Trees> last_;
};

}  // namespace llama::daemon
