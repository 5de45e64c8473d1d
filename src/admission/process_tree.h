// What processes and all their descendants do, by /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
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

}  // namespace llama::admission
