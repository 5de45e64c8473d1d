#include "llama/look/report_build.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "analysis/graph/graph_file.h"
#include "llama/cloud/load_account.h"
#include "llama/command.h"
#include "traces/load/loader.h"

namespace llama::app {
Result<LoadedBuild> LoadBuildDir(const std::string& build_dir, const std::string& id) {
  LoadedBuild build;
  build.dir = build_dir;
  const std::vector<std::string> dirs = {build_dir};
  ASSIGN_OR_RETURN(build.trace, traces::LoadBuilds(dirs, {.one_build = true, .build = id}));
  TellOfBuilds(build.trace, build_dir);
  auto record = builds::ReadBuildRecord(build_dir);
  if (!record) return build;
  // The record is of the folder's build, whatever else is in its trace.
  const auto builds = build.trace.builds();
  if (id.empty() || builds.empty() || build.trace.text(builds[0].id) == record->id) {
    build.record = *std::move(record);
  }
  return build;
}

Result<LoadedBuild> LoadBuild(const builds::Named& named, const std::string& id) {
  if (named.is_build) return LoadBuildDir(named.path, id);
  LoadedBuild build;
  const std::vector<std::string> paths = {named.path};
  ASSIGN_OR_RETURN(build.trace, traces::LoadFiles(paths, {.one_build = true, .build = id}));
  TellOfBuilds(build.trace, named.path);
  TRY(AccountForTrace(build.trace, paths));
  return build;
}

report::Report ReportBuild(const LoadedBuild& build) {
  // The folders of a trace that came from elsewhere are not this machine's.
  const bool is_ours = !build.dir.empty();
  report::Report report =
      report::MakeReport(build.trace, {analysis::ReadGraph(build.dir), is_ours});
  if (!build.record) return report;
  const builds::BuildRecord& record = *build.record;
  report.summary.build_id = record.id;
  if (!record.command.empty()) report.summary.name = record.name;
  if (report.summary.finished) return report;
  report.summary.command = builds::ShellCommand(record.command);
  report.summary.status = record.status;
  return report;
}

bool WantsColor(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  return isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

int FinishOutput() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return kOk;
  PrintError("standard output can't be written");
  return kFailed;
}

}  // namespace llama::app
