// What processes and all their descendants do, by /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace llama::admission {

struct Work {
  // Processor time so far, with that of descendants that were waited for: grows as long as
  // anything of it works.
  int64_t cpu_ns = 0;
  // One of them runs, would run if a processor were free, or waits for a disk (which may be swap).
  bool is_active = false;
};

// Of these together. Who has ended does nothing. Reads every process of the machine, some 10 µs
// each. `proc` is "/proc" but in tests.
Work WorkOf(const std::vector<pid_t>& roots, const std::string& proc = "/proc");

struct TreeCpu {
  int64_t own_ns = 0;    // of the root itself
  int64_t below_ns = 0;  // of its descendants, those that it waited for included
};
// Processor time so far of the tree below each of these that lives, by its root. What belongs to a
// tree within another one is the inner one's alone. Costs as much as WorkOf.
std::map<pid_t, TreeCpu> CpuOfTrees(const std::vector<pid_t>& roots,
                                    const std::string& proc = "/proc");

}  // namespace llama::admission
