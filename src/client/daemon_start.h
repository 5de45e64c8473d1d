// Starting the daemon as a process of its own: no terminal, no descriptor of ours, not our child,
// so that neither a make that waits for its pipes nor the compiler that this process becomes ever
// notices it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace llama::client {

// Runs `program daemon run --ready-fd 3` with LLAMA_DIR=state_dir and returns once it has said that
// it listens. kUnavailable with the reason if it ends before; kDeadline.
Result<void> StartDaemon(const std::string& program, const std::string& state_dir,
                         int64_t timeout_ms);

}  // namespace llama::client
