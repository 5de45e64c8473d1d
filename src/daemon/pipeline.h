// The daemon's pipeline on the embedded cloud or, later, another: owns the caches, the store, the
// functions and the builds, and makes a CompileJob of every request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "daemon/job.h"

namespace llama::daemon {

struct PipelineOptions {
  std::string llama_dir;       // state folder
  std::string worker_program;  // llama-runtime
  std::vector<std::string> worker_launcher;
  int max_workers = 1;
  int64_t worker_idle_ms = 300'000;
  int64_t job_timeout_ms = 900'000;
  int cpu_slots = 1;
};

// Reads LLAMA_WORKERS, LLAMA_WORKER_LAUNCHER (a path), LLAMA_JOB_TIMEOUT (seconds) and
// LLAMA_OBJECT_STORE (a folder) from the environment; kInvalid names what is wrong in one of them.
Result<PipelineOptions> PipelineOptionsFromEnvironment(const std::string& llama_dir);

Result<std::unique_ptr<Pipeline>> NewPipeline(const PipelineOptions& options, const Clock& clock);

}  // namespace llama::daemon
