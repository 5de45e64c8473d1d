#include <unistd.h>

#include "aws/service/credential_sources.h"
#include "aws/service/shell_words.h"
#include "base/file.h"
#include "base/process.h"

namespace llama::aws {
namespace {

constexpr int64_t kTimeoutMs = 60'000;
constexpr uint64_t kMaxOutputBytes = 1 << 20;

// As execvp finds it.
std::string FindInPath(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return name;
  std::string_view rest = path.empty() ? "/usr/local/bin:/usr/bin:/bin" : std::string_view(path);
  while (true) {
    const size_t colon = rest.find(':');
    const std::string candidate = JoinPath(rest.substr(0, colon), name);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) return "";
    rest.remove_prefix(colon + 1);
  }
}

}  // namespace

Result<Credentials> CredentialsOfProcess(std::string_view command,
                                         const std::vector<std::string>& env,
                                         const std::string& source) {
  Result<std::vector<std::string>> words = SplitShellWords(command);
  if (!words) return std::move(words).error().With(source);
  if (words->empty()) return Error{Code::kInvalid, source + ": no program is named"};
  // Its arguments are not repeated in messages, nor is what it prints: they may hold secrets.
  const std::string what = source + " (" + words->front() + ")";
  ProcessOptions options;
  options.program = FindInPath(words->front(), EnvValue(env, "PATH"));
  if (options.program.empty()) return Error{Code::kInvalid, what + ": no such program"};
  options.argv = *std::move(words);
  options.env = env;
  options.timeout_ms = kTimeoutMs;
  options.max_output_bytes = kMaxOutputBytes;
  Result<ProcessResult> ran = RunProcess(options);
  if (!ran) {
    const bool late = ran.error().code == Code::kDeadline;
    return Error{late ? Code::kUnavailable : Code::kInvalid,
                 what + ": " + (late ? "no answer within 60 s" : "can't be run")};
  }
  if (ran->ExitCode() != 0) {
    return Error{Code::kInvalid, what + ": ended with status " + std::to_string(ran->ExitCode()) +
                                     "; run it by hand to see why"};
  }
  return ParseCredentialsJson(ran->out, what);
}

}  // namespace llama::aws
