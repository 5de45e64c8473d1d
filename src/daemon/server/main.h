// The daemon from its start to its end: `llama daemon run`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "admission/cpu_admission.h"
#include "base/log.h"
#include "base/result.h"
#include "daemon/server/job.h"

namespace llama::daemon {

struct MainOptions {
  std::string llama_dir;  // absolute
  std::string build_id;
  int ready_fd = -1;  // a pipe to whoever started it: "ok" is written once it listens, or why not
};

// `cpu`, to which all asks that runs on the machine's own cores, outlives the pipeline.
using PipelineFactory = std::function<Result<std::unique_ptr<Pipeline>>(
    const std::string& llama_dir, admission::CpuAdmission& cpu)>;

// The exit status: 0 also if another daemon serves already. Everything goes to the log but for what
// fails before it is open.
int Main(const MainOptions& options, const PipelineFactory& new_pipeline);

}  // namespace llama::daemon
