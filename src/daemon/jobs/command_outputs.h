// Writing what a command of any kind gave back. The worker is never trusted: only announced files
// are written, where the user said, each whole or not at all; of an announced directory only files
// below it, and never through a symbolic link of this machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "job/job.h"
#include "session/session.h"

namespace llama::daemon {

struct WrittenOutputs {
  uint64_t files = 0;
  uint64_t bytes = 0;
  std::string missing;  // the first announced output that is not there, and why
};

// Where an output of the answer goes; kInvalid: it was not announced.
Result<std::string> LocalPathOf(const std::vector<session::CommandOutput>& announced,
                                const std::string& remote);

// Checks everything before the first is written. kInvalid: the answer breaks the rules and nothing
// was written; others: a write failed.
Result<WrittenOutputs> WriteCommandOutputs(const session::RunCommand& request,
                                           const job::Answer& answer);

}  // namespace llama::daemon
