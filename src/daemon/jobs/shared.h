// What all jobs of a pipeline share; all of it is thread-safe and outlives them.
#pragma once

#include "base/clock.h"
#include "compiler/toolchain.h"
#include "daemon/jobs/backend.h"
#include "daemon/jobs/program_tree.h"
#include "daemon/record/builds.h"
#include "execute/semaphore.h"
#include "execute/sync.h"
#include "execute/toolchain_tree.h"
#include "files/digest_cache.h"
#include "scan/input_finder.h"
#include "tree/layer_index.h"

namespace llama::daemon {

struct Shared {
  const Clock* clock = nullptr;
  Builds* builds = nullptr;
  compiler::Toolchains* toolchains = nullptr;
  execute::ToolchainTrees* toolchain_trees = nullptr;
  ProgramTrees* programs = nullptr;
  scan::InputFinder* finder = nullptr;
  files::DigestCache* digests = nullptr;
  tree::LayerIndex* index = nullptr;
  execute::Sync* sync = nullptr;
  Backend* backend = nullptr;
  execute::Semaphore* cpu = nullptr;
  int64_t job_timeout_ms = 900'000;
};

}  // namespace llama::daemon
