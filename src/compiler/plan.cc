#include "compiler/plan.h"

#include <algorithm>

#include "base/environment.h"
#include "base/file.h"
#include "compiler/environment.h"

namespace llama::compiler {
namespace {

std::string WithoutSuffix(std::string_view name) {
  const size_t dot = name.rfind('.');
  return std::string(name.substr(0, dot == 0 ? name.npos : dot));
}

class Planner {
 public:
  explicit Planner(const PlanRequest& request)
      : request_(request), command_(*request.command), toolchain_(*request.toolchain) {}

  Plan Make() {
    plan_.local_reason = command_.local_reason;
    if (plan_.local_reason.empty()) Check();
    if (!plan_.local_reason.empty()) return std::move(plan_);
    AddEnvironment();
    AddOwnOptions();
    for (const Arg& arg : command_.args) AddArg(arg);
    AddOutputs();
    plan_.cwd = request_.cwd;
    // Each process has its own /proc/self.
    if (!request_.pwd.starts_with("/proc/")) plan_.paths.push_back(request_.pwd);
    return std::move(plan_);
  }

 private:
  bool is_clang() const { return toolchain_.family == Family::kClang; }
  void Local(std::string reason) {
    if (plan_.local_reason.empty()) plan_.local_reason = std::move(reason);
  }

  void Check() {
    // Without its lookups an answer is never taken: it would run twice each time.
    if (!toolchain_.can_preload) Local("toolchain-unrecordable");
    if (command_.records_command && WantsColor()) Local("colour-in-recorded-command");
  }

  void AddEnvironment() {
    RemoteEnvironment environment = MakeEnvironment(request_.env, toolchain_, request_.pwd);
    if (!environment.local_reason.empty()) Local(environment.local_reason);
    plan_.env = std::move(environment.env);
    plan_.translated_messages = environment.translated_messages;
    for (const std::string& dir : environment.paths) AddPath(dir);
  }

  // Before the user's, so that theirs win.
  void AddOwnOptions() {
    plan_.argv.push_back(toolchain_.driver);
    if (WantsColor()) {
      plan_.argv.emplace_back(is_clang() ? "-fcolor-diagnostics" : "-fdiagnostics-color=always");
    }
  }

  bool WantsColor() const {
    if (!request_.stderr_is_terminal || command_.color_given) return false;
    const auto value = [&](std::string_view name) { return FindVariable(request_.env, name); };
    const char* term = value("TERM");
    const char* colors = value("GCC_COLORS");
    const char* no_color = value("NO_COLOR");
    return term != nullptr && std::string_view(term) != "dumb" &&
           (colors == nullptr || *colors != '\0') && (no_color == nullptr || *no_color == '\0');
  }

  void AddArg(const Arg& arg) {
    if (arg.kind == ArgKind::kHostNative) return AddNative(arg.words[0]);
    if (arg.kind == ArgKind::kSearchDir || arg.kind == ArgKind::kPathIn) AddPath(arg.path);
    plan_.argv.insert(plan_.argv.end(), arg.words.begin(), arg.words.end());
  }

  void AddPath(const std::string& path) {
    std::string full = JoinPath(request_.cwd, path);
    if (IsDirectory(full)) plan_.paths.push_back(std::move(full));
  }

  // The driver puts what it expands before all other -m options, and --param where it puts its own:
  // the expansion in the option's place gives the same code where there are none, but not the same
  // record of the options.
  void AddNative(const std::string& option) {
    const bool has_others =
        std::any_of(command_.args.begin(), command_.args.end(), [&](const Arg& other) {
          const std::string& word = other.words[0];
          return other.kind != ArgKind::kHostNative && !word.starts_with("-mtune=") &&
                 (word.starts_with("-m") || word.starts_with("--param"));
        });
    if (is_clang() || command_.has_debug_info || command_.records_command || has_others ||
        request_.toolchains == nullptr) {
      return Local("host-native:" + option);
    }
    auto expansion = request_.toolchains->ExpandNative(toolchain_, option);
    if (!expansion) return Local("host-native:" + option);
    // -march=native chooses the tuning only where the user does not.
    const bool tuned =
        std::any_of(command_.args.begin(), command_.args.end(), [&](const Arg& other) {
          return other.words[0].starts_with("-mtune=") && other.words[0] != option;
        });
    for (std::string& word : *expansion) {
      if (!(tuned && word.starts_with("-mtune="))) plan_.argv.push_back(std::move(word));
    }
  }

  void AddOutputs() {
    plan_.object = JoinPath(request_.cwd, command_.object);
    plan_.output_dirs.emplace_back(DirName(plan_.object));
    if (!command_.depfile.empty()) {
      plan_.depfile = JoinPath(request_.cwd, command_.depfile);
      std::string dir(DirName(plan_.depfile));
      if (dir != plan_.output_dirs[0]) plan_.output_dirs.push_back(std::move(dir));
    }
    plan_.output_suffixes = command_.side_suffixes;
    const auto& dirs = plan_.output_dirs;
    if (command_.has_sides_in_cwd &&
        std::find(dirs.begin(), dirs.end(), request_.cwd) == dirs.end()) {
      plan_.output_dirs.push_back(request_.cwd);
    }
    for (const std::string& name : {command_.object, command_.source}) {
      std::string stem = WithoutSuffix(BaseName(name));
      const auto& stems = plan_.output_stems;
      if (std::find(stems.begin(), stems.end(), stem) == stems.end()) {
        plan_.output_stems.push_back(std::move(stem));
      }
    }
  }

  const PlanRequest& request_;
  const Command& command_;
  const Toolchain& toolchain_;
  Plan plan_;
};

}  // namespace

Plan MakePlan(const PlanRequest& request) { return Planner(request).Make(); }

std::vector<std::string> DependencyArgs(const Command& command) {
  std::vector<std::string> out;
  for (const Arg& arg : command.args) {
    const std::string& word = arg.words[0];
    switch (arg.kind) {
      case ArgKind::kPathOut:
      case ArgKind::kDependency:
      case ArgKind::kSplitPath:
        continue;
      default:
        break;
    }
    // Warnings are off, but errors that were warnings would stop it.
    if (word == "-c" || word.starts_with("-Werror") || word == "-pedantic-errors") continue;
    if (word.starts_with("-Wp,") && word.find("-MP") != word.npos) continue;
    out.insert(out.end(), arg.words.begin(), arg.words.end());
  }
  // A target of our own, so that no name of the user's has to be told from the rule's colon.
  // -E keeps gcc from looking for what only a link needs.
  out.insert(out.end(), {"-w", "-E", "-M", "-MT", "x"});
  return out;
}

}  // namespace llama::compiler
