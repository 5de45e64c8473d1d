#include "daemon/jobs/compile_parse.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/environment.h"
#include "base/file.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using execute::OrReason;
using execute::Reason;

// Of names of inputs in the trace, together.
constexpr size_t kMaxRecordedBytes = 64 << 10;
constexpr size_t kMaxFlagBytes = 4 << 10;

// What a command that runs here reads and writes, as far as the build's graph needs to know.
void RecordFiles(const compiler::Command& command, trace::Span& root) {
  const bool is_link = command.local_reason == "link";
  if (!command.depfile.empty()) root.Set(trace::field::kDepfile, command.depfile);
  if (command.object_given) {
    root.Set(trace::field::kObject, command.object);
  } else if (is_link) {
    root.Set(trace::field::kObject, "a.out");
  }
  if (!is_link) return;
  std::string inputs;
  for (const compiler::Arg& arg : command.args) {
    if (arg.kind != compiler::ArgKind::kSource) continue;
    if (inputs.size() + arg.path.size() >= kMaxRecordedBytes) break;
    inputs.append(inputs.empty() ? "" : "\n").append(arg.path);
  }
  root.Set(trace::field::kInputs, std::move(inputs));
}

// What makes one build's compiles unlike another's: the options by which the compiler generates
// code. Definitions and folders are left out: they may be long, and hold what is nobody's business.
void RecordFlags(const compiler::Command& command, trace::Span& root) {
  constexpr std::array<std::string_view, 5> kPrefixes = {"-O", "-g", "-f", "-m", "-std="};
  std::string flags;
  for (const compiler::Arg& arg : command.args) {
    if (arg.kind != compiler::ArgKind::kPlain && arg.kind != compiler::ArgKind::kHostNative) {
      continue;
    }
    const std::string& word = arg.words.front();
    if (arg.words.size() != 1 || word.find(' ') != std::string::npos) continue;
    if (std::none_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return word.starts_with(prefix); })) {
      continue;
    }
    if (flags.size() + word.size() >= kMaxFlagBytes) break;
    flags.append(flags.empty() ? "" : " ").append(word);
  }
  root.Set(trace::field::kFlags, std::move(flags));
}

// What the compiler is, which decides how it reads its command line.
struct DriverKind {
  bool is_clang = false;
  bool is_cxx = false;
  bool operator==(const DriverKind&) const = default;
};

compiler::Command ParseAs(const session::Compile& request, const DriverKind& kind) {
  const std::vector<std::string> args(request.argv.begin() + (request.argv.empty() ? 0 : 1),
                                      request.argv.end());
  compiler::ParseOptions options;
  options.cwd = request.cwd;
  options.remote_assemble = VariableOr(request.env, "LLAMACC_REMOTE_ASSEMBLE", "") != "0";
  options.is_clang = kind.is_clang;
  options.is_cxx_driver = kind.is_cxx;
  return compiler::Parse(args, options);
}

std::string Terminals(const session::Compile& request) {
  std::string out;
  for (size_t i = 0; i < request.streams.size(); ++i) {
    const session::StandardStream& stream = request.streams[i];
    if (stream.kind != session::StreamKind::kTerminal) continue;
    if (!out.empty()) out += ':';
    out += std::to_string(i) + "=" + std::to_string(stream.columns) + "x" +
           std::to_string(stream.rows);
  }
  return out;
}

// $PWD if it names the working directory, as compilers take it for DW_AT_comp_dir.
std::string LogicalCwd(const session::Compile& request) {
  const std::string pwd = std::string(VariableOr(request.env, "PWD", ""));
  // As Bazel has it: to each process its own.
  constexpr std::string_view kOwn = "/proc/self/cwd";
  const bool is_own =
      pwd.starts_with(kOwn) && (pwd.size() == kOwn.size() || pwd[kOwn.size()] == '/');
  const std::string named = is_own ? request.cwd + pwd.substr(kOwn.size()) : pwd;
  struct stat a {};
  struct stat b {};
  if (named.starts_with('/') && stat(named.c_str(), &a) == 0 &&
      stat(request.cwd.c_str(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
    return pwd;
  }
  return request.cwd;
}

}  // namespace

OrReason<ParsedCompile> ParseCompile(const session::Compile& request,
                                     compiler::Toolchains& toolchains, trace::Span& root,
                                     compiler::Command* refused) {
  const std::string_view name = BaseName(request.compiler);
  const DriverKind by_name{name.find("clang") != name.npos, name.find("++") != name.npos};
  // A first look decides most local runs without asking the compiler anything.
  ParsedCompile parsed{ParseAs(request, by_name), nullptr};
  const auto refuse = [&](Reason reason) {
    if (refused != nullptr) *refused = std::move(parsed.command);
    return reason;
  };
  root.Set(trace::field::kSource, parsed.command.source);
  root.Set(trace::field::kCwd, request.cwd);
  if (!parsed.command.local_reason.empty()) {
    RecordFiles(parsed.command, root);
    return refuse({parsed.command.local_reason, {}});
  }
  auto toolchain = toolchains.Get(request.compiler, request.env, parsed.command.selection);
  if (!toolchain) return refuse({"toolchain", toolchain.error().message});
  parsed.toolchain = std::move(*toolchain);
  const DriverKind kind{parsed.toolchain->family == compiler::Family::kClang,
                        parsed.toolchain->is_cxx_driver};
  if (kind != by_name) {
    parsed.command = ParseAs(request, kind);
    if (!parsed.command.local_reason.empty()) return refuse({parsed.command.local_reason, {}});
  }
  root.Set(trace::field::kObject, parsed.command.object);
  if (!parsed.command.depfile.empty()) root.Set(trace::field::kDepfile, parsed.command.depfile);
  RecordFlags(parsed.command, root);
  return parsed;
}

OrReason<compiler::Plan> PlanCompile(const session::Compile& request, const ParsedCompile& parsed,
                                     compiler::Toolchains& toolchains) {
  compiler::PlanRequest ask;
  ask.command = &parsed.command;
  ask.toolchain = parsed.toolchain.get();
  ask.toolchains = &toolchains;
  ask.env = request.env;
  ask.cwd = request.cwd;
  ask.pwd = LogicalCwd(request);
  ask.terminals = Terminals(request);
  compiler::Plan plan = compiler::MakePlan(ask);
  if (!plan.local_reason.empty()) return Reason{plan.local_reason, {}};
  return plan;
}

}  // namespace llama::daemon
