// CompileJob: one compile on its way through the daemon, straight-line code from the request to the
// written outputs (docs/trace_format.md names its phases). Every way that does not end in verified
// outputs ends in a local verdict with a reason: here is the one place where that is decided.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cloud/function_client.h"
#include "compiler/toolchain.h"
#include "daemon/builds.h"
#include "daemon/job.h"
#include "daemon/semaphore.h"
#include "daemon/sync.h"
#include "daemon/toolchain_tree.h"
#include "scan/input_finder.h"
#include "store/digest_cache.h"
#include "tree/layer_index.h"

namespace llama::daemon {

// What all jobs share; all of it is thread-safe and outlives them.
struct Shared {
  const Clock* clock = nullptr;
  Builds* builds = nullptr;
  compiler::Toolchains* toolchains = nullptr;
  ToolchainTrees* toolchain_trees = nullptr;
  scan::InputFinder* finder = nullptr;
  store::DigestCache* digests = nullptr;
  tree::LayerIndex* index = nullptr;
  Sync* sync = nullptr;
  cloud::FunctionClient* functions = nullptr;
  Semaphore* cpu = nullptr;
  int64_t job_timeout_ms = 900'000;
};

std::unique_ptr<Job> NewCompileJob(const Shared& shared, wire::Compile request,
                                   int64_t received_ns);

}  // namespace llama::daemon
