// The ladder's `cc -M` rung.
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "compiler/plan.h"
#include "scan/input_finder.h"

namespace llama::scan {
namespace {

constexpr int64_t kTimeoutMs = 120'000;
constexpr uint64_t kMaxRuleBytes = 64u << 20;

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
    TRY(AddPrecompiled(request, inputs.files));
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

  // gcc tries what is beside any header, clang's driver what is beside those of -include. gcc goes
  // by contents and options, clang by times as well, which a mirror does not keep.
  static Result<void> AddPrecompiled(const ScanRequest& request, std::vector<std::string>& files) {
    const bool is_clang = request.toolchain->family == compiler::Family::kClang;
    for (size_t i = 0, headers = files.size(); i < headers; ++i) {
      for (const char* suffix : {".gch", ".pch"}) {
        std::string file = files[i] + suffix;
        struct stat st {};
        if (stat(JoinPath(request.cwd, file).c_str(), &st) != 0) continue;
        if (is_clang || !S_ISREG(st.st_mode)) {
          return Error{Code::kInvalid, "precompiled header: " + file};
        }
        files.push_back(std::move(file));
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
