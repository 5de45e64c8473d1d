// What the jobs of a pipeline work with; all of it is thread-safe and outlives them.
#pragma once

#include <cstdint>

#include "admission/cpu_admission.h"
#include "base/clock.h"
#include "base/file_namespace.h"
#include "base/file_system.h"
#include "compiler/toolchain.h"
#include "compiler/unrecorded_toolchains.h"
#include "daemon/jobs/build_executors.h"
#include "daemon/jobs/program_tree.h"
#include "daemon/record/builds.h"
#include "execute/executor.h"
#include "execute/toolchain_tree.h"
#include "files/digest_cache.h"
#include "scan/closure.h"
#include "scan/input_finder.h"
#include "scan/search/search_path.h"

namespace llama::daemon {

class Auditor;        // daemon/jobs/audit.h
class ClosureCache;   // daemon/jobs/closure_cache.h
class JobTally;       // daemon/jobs/job_tally.h
class LookupReports;  // daemon/jobs/lookup_reports.h

struct Services {
  const Clock* clock = nullptr;
  const FileSystem* file_system = nullptr;
  Builds* builds = nullptr;
  JobTally* tally = nullptr;
  compiler::Toolchains* toolchains = nullptr;
  compiler::UnrecordedToolchains* unrecorded = nullptr;
  execute::ToolchainTrees* toolchain_trees = nullptr;
  ProgramTrees* programs = nullptr;
  scan::InputFinder* finder = nullptr;
  // The upper rung; null: only `finder` is asked.
  scan::SearchPaths* search_paths = nullptr;
  scan::Closures* closures = nullptr;
  ClosureCache* closure_cache = nullptr;
  LookupReports* reports = nullptr;
  files::DigestCache* digests = nullptr;
  BuildExecutors* executors = nullptr;
  Auditor* auditor = nullptr;
  admission::CpuAdmission* cpu = nullptr;
  FileNamespace file_namespace;  // the daemon's own
  uint32_t group = 0;
  int64_t job_timeout_ms = 900'000;  // of a job as a whole
  int64_t allowance_ms = 60'000;     // of that, a compile's for what the cloud takes beside it
};

}  // namespace llama::daemon
