// Writing what a worker gave back. A worker is never trusted: a file is only written if its folder
// is one of the job's output folders and its name is one that this command makes; everything else
// is an error, and the job runs locally.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/plan.h"
#include "job/job.h"

namespace llama::daemon {

struct OutputRules {
  std::vector<std::string> dirs;   // canonical local paths
  std::vector<std::string> stems;  // with a suffix that compilers make (.gcno, .dwo, …)
  std::string object;              // canonical; written last, so that make sees it newest
  std::string depfile;             // canonical, or empty
  compiler::Family family = compiler::Family::kGcc;
  uint32_t umask = 022;
};

// Whether the rules allow the path.
bool IsAllowedOutput(const OutputRules& rules, const std::string& path);

// Checks all, maps the depfile's paths, then writes every file whole or not at all, and removes
// what the command removed. kInvalid: the answer breaks the rules, lacks the object, or an output
// holds the worker's root; nothing was written. Others: a write failed; what was written is right.
// Gives the bytes written.
Result<uint64_t> WriteOutputs(const OutputRules& rules, job::Answer& answer);

}  // namespace llama::daemon
