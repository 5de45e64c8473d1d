#include "compiler/plan.h"

#include <algorithm>

#include "base/environment.h"
#include "base/file.h"
#include "compiler/environment.h"

namespace llama::compiler {
namespace {

// Of a path.
std::string WithoutSuffix(std::string_view name) {
  const size_t dot = name.rfind('.');
  const size_t slash = name.rfind('/');
  const size_t begin = slash == name.npos ? 0 : slash + 1;
  return std::string(name.substr(0, dot == name.npos || dot <= begin ? name.npos : dot));
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
    plan_.argv.push_back(toolchain_.driver);
    for (const Arg& arg : command_.args) AddArg(arg);
    AddOutputs();
    plan_.cwd = request_.cwd;
    if (!IsDeviceOrProcess(request_.pwd)) plan_.paths.push_back(request_.pwd);
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
  }

  void AddEnvironment() {
    RemoteEnvironment environment = MakeEnvironment(request_.env, toolchain_, request_.pwd);
    if (!environment.local_reason.empty()) Local(environment.local_reason);
    plan_.env = std::move(environment.env);
    plan_.translated_messages = environment.translated_messages;
    AddTerminals();
    for (const std::string& dir : environment.paths) AddPath(dir);
  }

  // The compiler asks by itself, and is told what it would be told here
  // (worker/preload/terminal.c).
  void AddTerminals() {
    if (request_.terminals.empty()) return;
    plan_.env.push_back("LLAMA_TERMINALS=" + request_.terminals);
    for (const std::string_view name : {"TERM", "COLORTERM", "COLUMNS"}) {
      const char* value = FindVariable(request_.env, name);
      if (value != nullptr) plan_.env.push_back(std::string(name) + "=" + value);
    }
  }

  void AddArg(const Arg& arg) {
    if (arg.kind == ArgKind::kHostNative) return AddNative(arg.words[0]);
    if (arg.kind == ArgKind::kSearchDir || arg.kind == ArgKind::kPathIn) AddPath(arg.path);
    // What gcc reads then is called like the object.
    if (arg.words[0] == "-fprofile-use") AddPath(WithoutSuffix(command_.object) + ".gcda");
    plan_.argv.insert(plan_.argv.end(), arg.words.begin(), arg.words.end());
  }

  void AddPath(const std::string& path) {
    std::string full = JoinPath(request_.cwd, path);
    if (IsDirectory(full) || IsRegularFile(full)) plan_.paths.push_back(std::move(full));
  }

  // The driver puts what it expands before all other -m options, and --param where it puts its own:
  // the expansion in the option's place gives the same code where there are none, but not the same
  // record of the options. Specs give the same words in the same places.
  void AddNative(const std::string& option) {
    const bool has_others =
        std::any_of(command_.args.begin(), command_.args.end(), [&](const Arg& other) {
          const std::string& word = other.words[0];
          const bool is_tuning = !is_clang() && word.starts_with("-mtune=");
          return other.kind != ArgKind::kHostNative && !is_tuning &&
                 (word.starts_with("-m") || word.starts_with("--param"));
        });
    // Of LTO, gcc's objects record the options; -MJ writes them down, and clang's assembler says
    // that it has no use for them.
    const auto has_word = [&](std::string_view prefix) {
      return std::any_of(command_.args.begin(), command_.args.end(),
                         [&](const Arg& other) { return other.words[0].starts_with(prefix); });
    };
    const bool is_assembler = command_.language == Language::kAssembler ||
                              command_.language == Language::kAssemblerWithCpp;
    // What it stands for is asked of the driver alone, and a target or specs may change it.
    if (request_.toolchains == nullptr || !toolchain_.selection.options.empty()) {
      return Local("host-native:" + option);
    }
    if (is_clang()) {
      const bool is_whole = !has_others && !command_.records_command && !is_assembler &&
                            !has_word("-MJ") && option == "-march=native";
      auto words = is_whole ? request_.toolchains->ExpandNative(toolchain_, option)
                            : Result<std::vector<std::string>>(Error{Code::kInvalid, option});
      if (!words) return Local("host-native:" + option);
      plan_.argv.insert(plan_.argv.end(), words->begin(), words->end());
      return;
    }
    if (command_.has_debug_info || command_.records_command || has_others || has_word("-flto")) {
      return AddNativeBySpecs(option);
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

  void AddNativeBySpecs(const std::string& option) {
    const bool is_64 =
        std::none_of(command_.args.begin(), command_.args.end(), [](const Arg& other) {
          const std::string& word = other.words[0];
          return word == "-m32" || word == "-m16" || word == "-mx32" || word == "-miamcu";
        });
    auto specs = is_64 && option != "-mcpu=native"
                     ? request_.toolchains->NativeSpecs(toolchain_)
                     : Result<std::string>(Error{Code::kInvalid, option});
    if (!specs) return Local("host-native:" + option);
    if (native_specs_.empty()) {
      native_specs_ = *std::move(specs);
      plan_.paths.push_back(native_specs_);
      plan_.argv.insert(plan_.argv.begin() + 1, "-specs=" + native_specs_);
    }
    plan_.argv.push_back(option);
  }

  void AddOutputFolder(std::string dir) {
    auto& dirs = plan_.output_dirs;
    if (std::find(dirs.begin(), dirs.end(), dir) == dirs.end()) dirs.push_back(std::move(dir));
  }

  void AddOutputs() {
    plan_.object = JoinPath(request_.cwd, command_.object);
    AddOutputFolder(std::string(DirName(plan_.object)));
    if (!command_.depfile.empty()) {
      plan_.depfile = JoinPath(request_.cwd, command_.depfile);
      AddOutputFolder(std::string(DirName(plan_.depfile)));
    }
    for (const std::string& path : command_.side_paths) {
      plan_.side_paths.push_back(JoinPath(request_.cwd, path));
      AddOutputFolder(std::string(DirName(plan_.side_paths.back())));
    }
    plan_.output_suffixes = command_.side_suffixes;
    if (command_.has_sides_in_cwd) AddOutputFolder(request_.cwd);
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
  std::string native_specs_;  // empty: none are needed
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
    if (word == "-c" || word == "-S" || word.starts_with("-Werror") || word == "-pedantic-errors")
      continue;
    if (word.starts_with("-Wp,") && word.find("-MP") != word.npos) continue;
    out.insert(out.end(), arg.words.begin(), arg.words.end());
  }
  // A target of our own, so that no name of the user's has to be told from the rule's colon.
  // -E keeps gcc from looking for what only a link needs.
  out.insert(out.end(), {"-w", "-E", "-M", "-MT", "x"});
  return out;
}

}  // namespace llama::compiler
