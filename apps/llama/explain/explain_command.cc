// llama explain: how a command is seen, or what became of a compile, and why.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/clock.h"
#include "base/file.h"
#include "client/connection.h"
#include "client/invocation.h"
#include "client/request.h"
#include "daemon/jobs/explain.h"
#include "llama/command.h"
#include "llama/explain/explanation_text.h"
#include "llama/explain/past_compile.h"
#include "llama/look/named_builds.h"
#include "llama/look/report_build.h"
#include "llama/terminal_style.h"
#include "session/environment.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 3> kOptions = {{{"--json"}, {"--inputs"}, {"--build", true}}};
// Of a source that was compiled more often the last ones are shown.
constexpr size_t kMaxShown = 10;

int Fail(const std::string& what) {
  PrintError(what);
  return kFailed;
}

int Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return FinishOutput();
}

Result<std::string> WorkingDirectory() {
  std::error_code error;
  std::string cwd = std::filesystem::current_path(error).string();
  if (error) return Error{Code::kNotFound, "working directory: " + error.message()};
  return cwd;
}

// The compiler that a wrapper would mean: `gcc …`, `llamacc gcc …` and `ccache gcc …` are the same.
Result<client::Invocation> CompilerOf(std::vector<std::string> command, const std::string& cwd) {
  client::Surroundings surroundings;
  surroundings.path = std::getenv("PATH");
  surroundings.local_cc = std::getenv("LLAMACC_LOCAL_CC");
  surroundings.local_cxx = std::getenv("LLAMACC_LOCAL_CXX");
  surroundings.cwd = cwd;
  if (const auto state_dir = client::StateDir()) {
    surroundings.masquerade = client::MasqueradeDir(*state_dir);
  }
  const auto is_launcher = [](const std::string& word) {
    const std::string_view name = BaseName(word);
    return name == "ccache" || name == "sccache" || name == "distcc";
  };
  const size_t at = !command.empty() && client::IsWrapper(BaseName(command[0])) ? 1 : 0;
  if (command.size() > at + 1 && is_launcher(command[at])) {
    command.erase(command.begin() + static_cast<ptrdiff_t>(at));
  }
  const bool is_named = at == 0;
  const std::string name = command.empty() ? "" : command[0];
  const size_t words = command.size();
  if (is_named) command.insert(command.begin(), "llamacc");
  auto invocation = client::ResolveInvocation(command, surroundings);
  // A wrapper takes what is no compiler for an argument.
  if (is_named && invocation && invocation->argv.size() != words) {
    return Error{Code::kNotFound, name + ": command not found"};
  }
  return invocation;
}

int ExplainCommand(const std::vector<std::string>& command, const ParsedArguments& parsed) {
  const auto cwd = WorkingDirectory();
  if (!cwd) return Fail(cwd.error().message);
  auto invocation = CompilerOf(command, *cwd);
  if (!invocation) return Fail(invocation.error().message);
  const auto explained =
      daemon::ExplainAlone(client::RequestFor(*invocation, *cwd, {}), SystemClock());
  if (!explained) return Fail(explained.error().message);
  return Print(parsed.Has("--json")
                   ? FormatExplanationJson(*explained)
                   : FormatExplanation(*explained, StyleOf(STDOUT_FILENO), parsed.Has("--inputs")));
}

int ShowPast(const traces::Columns& trace, std::vector<traces::Row> rows, bool json) {
  const size_t hidden = rows.size() > kMaxShown ? rows.size() - kMaxShown : 0;
  if (!json) rows.erase(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(hidden));
  std::string text = json ? "[" : "";
  for (const traces::Row row : rows) {
    if (json) {
      text.append(text.size() > 1 ? "," : "").append(PastCompileJson(trace, row));
    } else {
      text += FormatPastCompile(trace, row, StyleOf(STDOUT_FILENO));
    }
  }
  if (json) text += "]\n";
  if (!json && hidden > 0) {
    text += "\n" + std::to_string(hidden) + " earlier compiles of it are not shown\n";
  }
  return Print(text);
}

// The latest build that has it, or the one that is named.
int ExplainPast(const std::string& name, const ParsedArguments& parsed) {
  const auto cwd = WorkingDirectory();
  if (!cwd) return Fail(cwd.error().message);
  auto builds = parsed.Has("--build") ? ResolveNames({parsed.Value("--build")}) : AllBuilds();
  if (!builds) return Fail(builds.error().message);
  std::reverse(builds->begin(), builds->end());
  for (const builds::Named& build : *builds) {
    const auto loaded = LoadNamed({build});
    if (!loaded && parsed.Has("--build")) return Fail(loaded.error().message);
    if (!loaded) continue;
    std::vector<traces::Row> rows = FindCompiles(loaded->columns, name, *cwd);
    if (!rows.empty()) return ShowPast(loaded->columns, std::move(rows), parsed.Has("--json"));
  }
  return Fail("no compile is recorded of " + name +
              "; 'llama explain -- COMMAND' explains a command that was not run");
}

int Run(const Arguments& arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  const std::vector<std::string> command(dashes == arguments.end() ? dashes : dashes + 1,
                                         arguments.end());
  const auto parsed = ParseArguments(Arguments(arguments.begin(), dashes), kOptions);
  if (!parsed) return UsageError("explain", parsed.error().message);
  const std::vector<std::string>& names = parsed->rest;
  if (dashes != arguments.end()) {
    if (!names.empty()) return UsageError("explain", "either a file or, behind --, a command");
    if (command.empty() || command[0].empty()) return UsageError("explain", "no command behind --");
    if (parsed->Has("--build")) return UsageError("explain", "--build is for what was compiled");
    return ExplainCommand(command, *parsed);
  }
  if (names.empty()) return UsageError("explain", "a file, or -- and a command");
  if (names.size() > 1) return UsageError("explain", "one file; a command comes behind --");
  if (names[0].empty()) return UsageError("explain", "an empty name");
  if (parsed->Has("--inputs")) return UsageError("explain", "--inputs is for a command");
  if (parsed->Has("--build") && parsed->Value("--build").empty()) {
    return UsageError("explain", "--build wants a build");
  }
  return ExplainPast(names[0], *parsed);
}

}  // namespace

const Command kExplainCommand = {
    "explain", "show how a compiler's command is seen, and why it runs here",
    "usage: llama explain [--json] [--inputs] -- COMPILER [ARGUMENT]...\n"
    "       llama explain [--json] [--build BUILD] FILE\n"
    "\n"
    "Behind --, a compiler's command as a build would run it. It is not run. Shown are whether it\n"
    "would run remotely, or each reason why not and what would change it; what every option is\n"
    "taken for; how many inputs were found, how and where; what a worker needs of them; and which\n"
    "files it writes. What only a run can tell, such as a cloud in trouble, is not known here.\n"
    "\n"
    "FILE is an object or a source that was compiled: as seen from here, or the end of its path.\n"
    "Shown is what became of it in the latest build that has it.\n"
    "\n"
    "  --inputs         of a command: every input by name\n"
    "  --build BUILD    look in this build only ('llama help names')\n"
    "  --json           as JSON: an object of a command, an array of past compiles\n"
    "\n"
    "The exit status says whether it could be explained: 0, or 1; 2 for wrong usage.\n"
    "\n"
    "examples:\n"
    "  llama explain -- gcc -O2 -march=native -g -c src/a.c -o a.o\n"
    "  llama explain --json -- $(make -n a.o) | jq -r '.reasons[].reason'\n"
    "  llama explain src/a.c\n"
    "  llama explain --build before a.o\n",
    Run};

}  // namespace llama::app
