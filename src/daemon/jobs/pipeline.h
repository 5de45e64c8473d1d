// The daemon's pipeline owns the caches, the backend (store and
// functions) and the builds, and makes a CompileJob of every request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "admission/cpu_admission.h"
#include "base/clock.h"
#include "base/result.h"
#include "daemon/jobs/backend.h"
#include "daemon/server/job.h"

namespace llama::daemon {

struct PipelineOptions {
  std::vector<std::string> env;  // for the settings (aws/settings/settings.h)
  BackendOptions backend;
  int64_t job_timeout_ms = 900'000;
  admission::CpuAdmission* cpu = nullptr;  // for scans; outlives the pipeline
};

// Reads LLAMA_WORKERS, LLAMA_WORKER_LAUNCHER (a path) and LLAMA_JOB_TIMEOUT (seconds) from the
// environment, which it keeps for the settings; kInvalid names what is wrong in one of them.
Result<PipelineOptions> PipelineOptionsFromEnvironment(const std::string& llama_dir);

Result<std::unique_ptr<Pipeline>> NewPipeline(const PipelineOptions& options, const Clock& clock);

}  // namespace llama::daemon
