#include "ninja_build.h"

#include <algorithm>
#include <string_view>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "report/graph_file.h"
#include "report/ninja_graph.h"

namespace llama::app {
namespace {

constexpr int64_t kTimeoutMs = 10'000;
constexpr uint64_t kMaxGraphBytes = 256 << 20;

bool IsNinja(std::string_view word) {
  const std::string_view base = BaseName(word);
  return base == "ninja" || base == "ninja-build" || base == "samu";
}

}  // namespace

void KeepNinjaGraph(const std::vector<std::string>& command, const std::string& cwd,
                    const std::vector<std::string>& env, const std::string& build_dir) {
  const auto ninja = std::find_if(command.begin(), command.end(), IsNinja);
  if (ninja == command.end()) return;
  ProcessOptions run;
  run.program = "/usr/bin/env";
  run.argv = {"env", *ninja};
  run.env = env;
  run.cwd = cwd;
  run.timeout_ms = kTimeoutMs;
  run.max_output_bytes = kMaxGraphBytes;
  std::string folder = cwd;
  // Where the graph is: -C DIR and -f FILE, together or apart.
  for (auto word = std::next(ninja); word != command.end(); ++word) {
    const bool is_folder = word->starts_with("-C");
    if (!is_folder && !word->starts_with("-f")) continue;
    std::string value = word->substr(2);
    if (value.empty() && std::next(word) != command.end()) value = *++word;
    run.argv.push_back((is_folder ? "-C" : "-f") + value);
    if (is_folder) folder = JoinPath(folder, value);
  }
  run.argv.insert(run.argv.end(), {"-t", "graph"});
  const auto graph = RunProcess(run);
  if (!graph || graph->ExitCode() != 0) return;
  const auto steps = report::ParseNinjaGraph(graph->out, folder);
  if (steps.empty()) return;
  if (const auto kept = report::WriteGraph(build_dir, steps); !kept) {
    LOG(kWarning, kept.error().message);
  }
}

}  // namespace llama::app
