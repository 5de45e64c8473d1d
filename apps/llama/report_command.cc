// llama report: the summary of a build.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "client/connection.h"
#include "command.h"
#include "report/build_record.h"
#include "report/loader.h"
#include "report_build.h"

namespace llama::app {

Result<report::Summary> SummariseBuild(const std::string& build_dir) {
  const std::vector<std::string> dirs = {build_dir};
  ASSIGN_OR_RETURN(const report::Columns trace, report::LoadBuilds(dirs));
  report::Summary summary = report::Summarise(trace);
  if (summary.finished) return summary;
  // What the build's own span would have said.
  if (auto record = report::ReadBuildRecord(build_dir); record) {
    summary.build_id = record->id;
    summary.name = record->name;
    summary.command = report::ShellCommand(record->command);
    summary.status = record->status;
  }
  return summary;
}

bool WantsColor(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  return isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

namespace {

constexpr std::array<Option, 1> kOptions = {{{"--json"}}};

Result<report::Summary> Load(const std::string& what) {
  // A path, as of a trace that someone sent; a build's id or name has no slash.
  if (what.find('/') != std::string::npos) {
    const std::vector<std::string> paths = {what};
    ASSIGN_OR_RETURN(const report::Columns trace, report::LoadFiles(paths));
    return report::Summarise(trace);
  }
  ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
  ASSIGN_OR_RETURN(const report::BuildRecord record, report::FindBuild(state_dir, what));
  return SummariseBuild(report::BuildDir(state_dir, record.id));
}

int Run(const Arguments& arguments) {
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("report", parsed.error().message);
  if (parsed->rest.size() > 1) return UsageError("report", "one build at a time");
  const auto summary = Load(parsed->rest.empty() ? "" : parsed->rest[0]);
  if (!summary) {
    PrintError(summary.error().message + "; 'llama builds' lists what there is");
    return kFailed;
  }
  const std::string text = parsed->Has("--json")
                               ? report::FormatJson(*summary)
                               : report::FormatText(*summary, {WantsColor(STDOUT_FILENO)});
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kOk;
}

}  // namespace

const Command kReportCommand = {
    "report", "show the summary of a build",
    "usage: llama report [--json] [BUILD]\n"
    "\n"
    "Shows what a build did: wall time, compiles remote and local with the reason of every local\n"
    "run, time by phase, the slowest compiles, concurrency, transfers, and what it would have "
    "cost\n"
    "on AWS at the published prices. BUILD is an id, the beginning of one, a name, or the path of\n"
    "a trace file; without it, the latest build is shown.\n"
    "\n"
    "  --json   as one JSON object\n"
    "\n"
    "examples:\n"
    "  llama report\n"
    "  llama report before\n"
    "  llama report --json 20261122-0820 | jq .cost.total_usd\n",
    Run};

}  // namespace llama::app
