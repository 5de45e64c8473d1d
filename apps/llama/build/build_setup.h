// What stands around a build's command: its folder and record, its environment, its root span.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "builds/record.h"
#include "trace/span.h"

namespace llama::app {

struct BuildRequest {
  std::string name;
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<std::string> command;
};

// "KEY=VALUE" strings with some of them replaced; the order of the rest stays.
void SetVariable(std::vector<std::string>& env, std::string_view name, std::string_view value);
std::string_view GetVariable(const std::vector<std::string>& env, std::string_view name);

struct BuildSetup {
  std::string state_dir;
  std::string dir;  // builds/<id>
  builds::BuildRecord record;
  int64_t start_monotonic_ns = 0;  // of record.start_ns
  trace::Span root;
  bool interrupted = false;  // by a signal
  Fd hold;                   // says that it is running: builds/store.h
};

// Makes the build's folder (0700) with its record in it. The root span hangs below TRACEPARENT, if
// `env` has one.
Result<BuildSetup> PrepareBuild(const BuildRequest& request, const std::string& state_dir,
                                const std::vector<std::string>& env, const Clock& clock);

// `env` as the build's command gets it: LLAMA_DIR, LLAMACC_BUILD_ID, TRACEPARENT, and in PATH
// the masquerade folder first, brought up to date with links to `wrapper`. CMake, which finds
// compilers by other ways than PATH, too, is told to launch them by `wrapper`. kNotFound without
// one.
Result<std::vector<std::string>> BuildEnvironment(const BuildSetup& setup,
                                                  const std::string& wrapper,
                                                  std::vector<std::string> env);

// Ends record and root span, now; writes the record.
Result<void> FinishBuild(BuildSetup& setup, int exit_status, const Clock& clock);

}  // namespace llama::app
