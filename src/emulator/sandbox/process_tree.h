// A process and all that descends from it, by what /proc says: for what has to be done to a
// function's processes together. All functions take the process at the top and leave it out.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace llama::emulator {

std::vector<pid_t> Descendants(pid_t top);

// SIGSTOP and SIGCONT, until a look finds nobody new.
void StopDescendants(pid_t top);
void ContinueDescendants(pid_t top);

// Resident memory, less what is shared with files and so counted in every process that maps it.
int64_t MemoryOfDescendants(pid_t top);

}  // namespace llama::emulator
