// What all jobs of a pipeline share; all of it is thread-safe and outlives them.
#pragma once

#include "base/clock.h"
#include "compiler/toolchain.h"
#include "daemon/backend.h"
#include "daemon/builds.h"
#include "daemon/program_tree.h"
#include "daemon/semaphore.h"
#include "daemon/sync.h"
#include "daemon/toolchain_tree.h"
#include "scan/input_finder.h"
#include "store/digest_cache.h"
#include "tree/layer_index.h"

namespace llama::daemon {

struct Shared {
  const Clock* clock = nullptr;
  Builds* builds = nullptr;
  compiler::Toolchains* toolchains = nullptr;
  ToolchainTrees* toolchain_trees = nullptr;
  ProgramTrees* programs = nullptr;
  scan::InputFinder* finder = nullptr;
  store::DigestCache* digests = nullptr;
  tree::LayerIndex* index = nullptr;
  Sync* sync = nullptr;
  Backend* backend = nullptr;
  Semaphore* cpu = nullptr;
  int64_t job_timeout_ms = 900'000;
};

}  // namespace llama::daemon
