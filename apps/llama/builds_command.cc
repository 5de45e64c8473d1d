// llama builds: the builds that are recorded.
#include <array>
#include <cstdio>

#include "client/connection.h"
#include "command.h"
#include "report/build_record.h"
#include "report/format.h"
#include "trace/span.h"

namespace llama::app {
namespace {

using report::BuildRecord;
using report::PadLeft;
using report::PadRight;

constexpr std::array<Option, 1> kOptions = {{{"--json"}}};

std::string StatusOf(const BuildRecord& build) {
  if (build.unnamed) return "-";
  if (!build.status) return "unfinished";
  if (*build.status == 0) return "ok";
  if (*build.status > 128) return "signal " + std::to_string(*build.status - 128);
  return "exit " + std::to_string(*build.status);
}

std::string WallOf(const BuildRecord& build) {
  if (!build.end_ns || *build.end_ns < build.start_ns) return "-";
  return report::FormatDuration(*build.end_ns - build.start_ns);
}

void PrintTable(const std::vector<BuildRecord>& builds) {
  size_t id_width = 2;
  size_t name_width = 4;
  for (const BuildRecord& build : builds) {
    id_width = std::max(id_width, report::DisplayWidth(report::Printable(build.id)));
    name_width = std::max(name_width, report::DisplayWidth(report::Printable(build.name)));
  }
  const auto row = [&](std::string_view id, std::string_view name, std::string_view wall,
                       std::string_view status, std::string_view command) {
    const std::string line = PadRight(id, id_width + 2) + PadRight(name, name_width + 2) +
                             PadLeft(wall, 11) + PadRight("", 2) + PadRight(status, 12);
    std::printf("%s%.*s\n", line.c_str(), static_cast<int>(command.size()), command.data());
  };
  row("ID", "NAME", "WALL TIME", "STATUS", "COMMAND");
  for (const BuildRecord& build : builds) {
    row(report::Printable(build.id), report::Printable(build.name), WallOf(build), StatusOf(build),
        build.unnamed ? "(compiles outside llama build)"
                      : report::Printable(report::ShellCommand(build.command)));
  }
}

int Run(const Arguments& arguments) {
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("builds", parsed.error().message);
  if (!parsed->rest.empty()) return UsageError("builds", "'builds' takes no arguments");
  const auto state_dir = client::StateDir();
  if (!state_dir) {
    PrintError(state_dir.error().message);
    return kFailed;
  }
  const auto builds = report::ListBuilds(*state_dir);
  if (!builds) {
    PrintError(builds.error().message);
    return kFailed;
  }
  if (parsed->Has("--json")) {
    std::string json = "[";
    for (const BuildRecord& build : *builds) {
      json.append(json.size() > 1 ? ",\n " : "").append(ToJson(build));
    }
    std::printf("%s]\n", json.c_str());
  } else if (builds->empty()) {
    std::printf("No builds yet. Try: llama build -- make -j32\n");
  } else {
    PrintTable(*builds);
  }
  return kOk;
}

}  // namespace

const Command kBuildsCommand = {
    "builds", "list the builds that are recorded",
    "usage: llama builds [--json]\n"
    "\n"
    "Lists every recorded build, the latest last: its id, name, wall time, how its command ended,\n"
    "and the command. Builds are kept in $LLAMA_DIR/builds, a folder each; remove a folder to\n"
    "forget a build.\n"
    "\n"
    "  --json   as a JSON array, one object a build\n"
    "\n"
    "examples:\n"
    "  llama builds\n"
    "  llama builds --json | jq -r '.[-1].id'\n",
    Run};

}  // namespace llama::app
