#include "llama/build/ninja_build.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "analysis/graph/graph_file.h"
#include "analysis/graph/ninja_deps.h"
#include "analysis/graph/ninja_graph.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "llama/build/build_setup.h"

namespace llama::app {
namespace {

constexpr int64_t kTimeoutMs = 10'000;
constexpr uint64_t kMaxGraphBytes = 256 << 20;
constexpr uint64_t kMaxBuildFileBytes = 64 << 20;
constexpr uint64_t kMaxLogBytes = 512 << 20;

bool IsNinja(std::string_view word) {
  const std::string_view base = BaseName(word);
  return base == "ninja" || base == "ninja-build" || base == "samu";
}

// What a command that is ninja builds.
struct NinjaRun {
  std::string program;
  std::string folder;  // where it runs, absolute
  std::string file = "build.ninja";
  std::vector<std::string> targets;
};

// `cmake --build DIR [--target TARGET...]...` of a tree that ninja builds.
std::optional<NinjaRun> FindNinjaOfCMake(const std::vector<std::string>& command,
                                         const std::string& cwd) {
  const auto build = std::find(command.begin(), command.end(), "--build");
  if (build == command.begin() || build == command.end() || std::next(build) == command.end() ||
      BaseName(*std::prev(build)) != "cmake") {
    return std::nullopt;
  }
  NinjaRun run;
  run.program = "ninja";
  run.folder = JoinPath(cwd, *std::next(build));
  if (access(JoinPath(run.folder, run.file).c_str(), R_OK) != 0) return std::nullopt;
  bool is_target = false;
  for (auto word = std::next(build, 2); word != command.end() && *word != "--"; ++word) {
    if (word->starts_with('-')) {
      is_target = *word == "-t" || *word == "--target";
    } else if (is_target) {
      run.targets.push_back(*word);
    }
  }
  return run;
}

// None if it is another command, or one that builds nothing (-t).
std::optional<NinjaRun> FindNinja(const std::vector<std::string>& command, const std::string& cwd) {
  const auto ninja = std::find_if(command.begin(), command.end(), IsNinja);
  if (ninja == command.end()) return FindNinjaOfCMake(command, cwd);
  NinjaRun run;
  run.program = *ninja;
  run.folder = cwd;
  for (auto word = std::next(ninja); word != command.end(); ++word) {
    if (!word->starts_with('-')) {
      run.targets.push_back(*word);
      continue;
    }
    const char letter = word->size() > 1 ? (*word)[1] : '-';
    if (std::string_view("Cfjkldtw").find(letter) == std::string_view::npos) continue;
    std::string value = word->substr(2);
    if (value.empty() && std::next(word) != command.end()) value = *++word;
    if (letter == 't') return std::nullopt;
    if (letter == 'C') run.folder = JoinPath(run.folder, value);
    if (letter == 'f') run.file = value;
  }
  return run;
}

// Beside the build file, or where it sets `builddir` in so many words.
std::string DepsLogPath(const NinjaRun& run) {
  std::string folder = run.folder;
  const auto text = ReadFile(JoinPath(run.folder, run.file), kMaxBuildFileBytes);
  constexpr std::string_view kName = "\nbuilddir";
  const size_t at = text ? text->find(kName) : std::string::npos;
  if (at != std::string::npos) {
    std::string_view line = std::string_view(*text).substr(at + kName.size());
    line = line.substr(0, line.find('\n'));
    const size_t equals = line.find_first_not_of(' ');
    if (equals != line.npos && line[equals] == '=') {
      const size_t begin = line.find_first_not_of(' ', equals + 1);
      if (begin != line.npos) folder = JoinPath(folder, line.substr(begin));
    }
  }
  return JoinPath(folder, ".ninja_deps");
}

// What ninja prints, asked with `options` about what `run` builds.
std::optional<std::string> AskNinja(const NinjaRun& run, const std::vector<std::string>& options,
                                    const std::vector<std::string>& env) {
  ProcessOptions ninja;
  ninja.program = "/usr/bin/env";
  ninja.argv = {"env", run.program, "-f", run.file};
  ninja.argv.insert(ninja.argv.end(), options.begin(), options.end());
  ninja.argv.insert(ninja.argv.end(), run.targets.begin(), run.targets.end());
  ninja.env = env;
  ninja.cwd = run.folder;
  ninja.timeout_ms = kTimeoutMs;
  ninja.max_output_bytes = kMaxGraphBytes;
  auto done = RunProcess(ninja);
  if (!done || done->ExitCode() != 0) return std::nullopt;
  return std::move(done->out);
}

std::vector<analysis::GraphStep> ReadNinjaGraph(const NinjaRun& run,
                                                const std::vector<std::string>& env) {
  const auto graph = AskNinja(run, {"-t", "graph"}, env);
  if (!graph) return {};
  auto steps = analysis::ParseNinjaGraph(*graph, run.folder);
  // A log that can't be read tells nothing; the graph is true without it.
  if (const auto log = ReadFile(DepsLogPath(run), kMaxLogBytes)) {
    analysis::AddNinjaDeps(*log, run.folder, steps);
  }
  return steps;
}

}  // namespace

std::optional<uint64_t> NinjaStepsLeft(const std::vector<std::string>& command,
                                       const std::string& cwd,
                                       const std::vector<std::string>& env) {
  const auto run = FindNinja(command, cwd);
  if (!run) return std::nullopt;
  // A dry run tells before each step how many there are.
  std::vector<std::string> asking = env;
  SetVariable(asking, "NINJA_STATUS", "%t ");
  const auto steps = AskNinja(*run, {"-n"}, asking);
  if (!steps) return std::nullopt;
  uint64_t count = 0;
  std::from_chars(steps->data(), steps->data() + steps->size(), count);
  return count;
}

void KeepNinjaGraph(const std::vector<std::string>& command, const std::string& cwd,
                    const std::vector<std::string>& env, const std::string& build_dir) {
  const auto run = FindNinja(command, cwd);
  if (!run) return;
  const auto steps = ReadNinjaGraph(*run, env);
  if (steps.empty()) return;
  if (const auto kept = analysis::WriteGraph(build_dir, steps); !kept) {
    LOG(kWarning, kept.error().message);
  }
}

}  // namespace llama::app
