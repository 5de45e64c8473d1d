// The ladder's `cc -M` rung.
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "compiler/plan.h"
#include "scan/input_finder.h"
#include "scan/text/directives.h"

namespace llama::scan {
namespace {

constexpr int64_t kTimeoutMs = 120'000;
constexpr uint64_t kMaxRuleBytes = 64u << 20;
constexpr uint64_t kMaxSourceBytes = 256u << 20;

bool Exists(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0;
}

// The absolute names in #line directives and the linemarkers of preprocessed text.
std::vector<std::string> AbsoluteLineNames(std::string_view text) {
  std::vector<std::string> out;
  for (size_t hash = text.find('#'); hash != text.npos; hash = text.find('#', hash + 1)) {
    const size_t end = std::min(text.find('\n', hash), text.size());
    std::string_view rest = text.substr(hash + 1, end - hash - 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.starts_with("line")) rest.remove_prefix(4);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.empty() || rest[0] < '0' || rest[0] > '9') continue;
    const size_t open = rest.find("\"/");
    const size_t close = open == rest.npos ? open : rest.find('"', open + 1);
    if (close != rest.npos) out.emplace_back(rest.substr(open + 1, close - open - 1));
  }
  return out;
}

class DependencyRunFinder final : public InputFinder {
 public:
  Result<Inputs> Find(const ScanRequest& request) override {
    Inputs inputs;
    inputs.rung = "cc-M";
    inputs.files.push_back(request.command->source);
    if (IsPreprocessed(request.command->language)) return inputs;

    ASSIGN_OR_RETURN(const std::string rule, Run(request));
    ASSIGN_OR_RETURN(std::vector<std::string> names, compiler::ParseDepfile(rule));
    for (std::string& name : names) {
      if (name != inputs.files[0]) inputs.files.push_back(std::move(name));
    }
    TRY(CheckPrecompiled(request, inputs.files));
    TRY(CheckLineDirectives(request, inputs.files));
    TRY(CheckAbsoluteNames(request, inputs.files));
    return inputs;
  }

 private:
  static bool IsPreprocessed(compiler::Language language) {
    return language == compiler::Language::kPreprocessedC ||
           language == compiler::Language::kPreprocessedCxx ||
           language == compiler::Language::kAssembler;
  }

  static Result<std::string> Run(const ScanRequest& request) {
    ProcessOptions options;
    options.program = request.toolchain->driver;
    options.argv = compiler::DependencyArgs(*request.command);
    options.argv.insert(options.argv.begin(), request.argv0);
    options.env = request.env;
    options.cwd = request.cwd;
    options.timeout_ms = kTimeoutMs;
    options.max_output_bytes = kMaxRuleBytes;
    options.cancelled = request.cancelled;
    ASSIGN_OR_RETURN(ProcessResult result, RunProcess(options));
    if (!WIFEXITED(result.status)) {
      return Error{Code::kInternal, request.toolchain->driver + " -M was killed"};
    }
    if (WEXITSTATUS(result.status) != 0) {
      return Error{Code::kRemoteFailed, request.command->source + ": the preprocessor failed: " +
                                            result.err.substr(0, 300)};
    }
    return std::move(result.out);
  }

  // With debug information, gcc writes one file of its table for the absolute name in a #line
  // directive (bison and flex write their output's own) and another for the same file as opened
  // below a root; here they are one.
  static Result<void> CheckLineDirectives(const ScanRequest& request,
                                          const std::vector<std::string>& files) {
    const compiler::Toolchain& toolchain = *request.toolchain;
    if (toolchain.family != compiler::Family::kGcc || !request.command->has_debug_info) return {};
    for (const std::string& file : files) {
      const auto holds = [&](const std::string& dir) { return file.starts_with(dir + "/"); };
      const bool system = std::any_of(toolchain.dirs.begin(), toolchain.dirs.end(), holds);
      if (!file.starts_with('/') || system) continue;
      ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxSourceBytes));
      for (const std::string& name : AbsoluteLineNames(text)) {
        if (std::find(files.begin(), files.end(), name) != files.end()) {
          return Error{Code::kInvalid, "a #line directive names " + name};
        }
      }
    }
    return {};
  }

  // What is named absolutely is opened where it says, not below a worker's root.
  static Result<void> CheckAbsoluteNames(const ScanRequest& request,
                                         const std::vector<std::string>& files) {
    for (const std::string& file : files) {
      const auto holds = [&](const std::string& dir) { return file.starts_with(dir + "/"); };
      const std::vector<std::string>& system = request.toolchain->dirs;
      if (std::any_of(system.begin(), system.end(), holds)) continue;
      const std::string path = JoinPath(request.cwd, file);
      ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxSourceBytes));
      for (const Reference& reference : ReadDirectives(text).references) {
        if (reference.spelling == Spelling::kComputed) continue;
        if (reference.name.starts_with('/') && Exists(reference.name)) {
          return Error{Code::kInvalid, file + ": an absolute name: " + reference.name};
        }
      }
    }
    return {};
  }

  // A precompiled header is read in the place of the header that -M names, and is valid only for
  // the very compiler process layout that made it.
  static Result<void> CheckPrecompiled(const ScanRequest& request,
                                       const std::vector<std::string>& files) {
    for (const std::string& file : files) {
      const std::string path = JoinPath(request.cwd, file);
      for (const char* suffix : {".gch", ".pch"}) {
        if (Exists(path + suffix)) {
          return Error{Code::kInvalid, "precompiled header: " + file + suffix};
        }
      }
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<InputFinder> NewDependencyRunFinder() {
  return std::make_unique<DependencyRunFinder>();
}

}  // namespace llama::scan
