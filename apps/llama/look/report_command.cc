// llama report: what a build did, and why it took so long.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <vector>

#include "llama/command.h"
#include "llama/look/named_builds.h"
#include "llama/look/report_build.h"
#include "llama/terminal_style.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 3> kOptions = {{{"--json"}, {"--section", true}, {"--build", true}}};

Result<std::vector<report::Section>> SectionsOf(const ParsedArguments& parsed) {
  std::vector<report::Section> sections;
  for (const auto& [option, value] : parsed.options) {
    if (option != "--section") continue;
    ASSIGN_OR_RETURN(const auto named, report::ParseSections(value));
    sections.insert(sections.end(), named.begin(), named.end());
  }
  if (!sections.empty() && parsed.Has("--json")) {
    return Error{Code::kInvalid, "--section is for text; --json has all of them"};
  }
  return sections;
}

struct Wanted {
  std::string name;
  std::string build;  // of a trace with several
};

Result<Wanted> ReadNames(const ParsedArguments& parsed) {
  Wanted wanted{"", parsed.Value("--build")};
  // An unset shell variable, most likely: nobody means the latest build by it.
  if (parsed.Has("--build") && wanted.build.empty()) {
    return Error{Code::kInvalid, "--build wants a build"};
  }
  if (parsed.rest.empty()) return Wanted{wanted.build, ""};
  if (parsed.rest[0].empty()) return Error{Code::kInvalid, "an empty name"};
  wanted.name = parsed.rest[0];
  return wanted;
}

Result<LoadedBuild> Load(const Wanted& wanted) {
  ASSIGN_OR_RETURN(const builds::Named named, ResolveName(wanted.name));
  return LoadBuild(named, wanted.build);
}

int Run(const Arguments& arguments) {
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("report", parsed.error().message);
  if (parsed->rest.size() > 1) {
    return UsageError("report", "one build at a time; 'llama compare' lays two side by side");
  }
  const auto what = ReadNames(*parsed);
  if (!what) return UsageError("report", what.error().message);
  const auto sections = SectionsOf(*parsed);
  if (!sections) return UsageError("report", sections.error().message);
  const auto build = Load(*what);
  if (!build) {
    PrintError(build.error().message);
    return kFailed;
  }
  const report::Report report = ReportBuild(*build);
  const std::string text =
      parsed->Has("--json")
          ? report::FormatReportJson(build->trace, report)
          : report::FormatReport(build->trace, report, StyleOf(STDOUT_FILENO), *sections);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return FinishOutput();
}

}  // namespace

const Command kReportCommand = {
    "report", "show where a build's time went, and what would make it faster",
    "usage: llama report [--json | --section NAME[,NAME]...] [--build ID] [BUILD]\n"
    "\n"
    "Shows what a build did and why it took that long: findings with what to do about them, what\n"
    "bounded it, time by phase, the slowest compiles, the critical path, parallelism, how busy\n"
    "every resource was, workers, the reason of every local run, and what it would have cost on\n"
    "AWS at the published prices. Without BUILD the latest build is shown.\n"
    "BUILD is an id or the beginning of one, a name, latest, a trace file, a build's folder, or -\n"
    "for a trace on standard input ('llama help names').\n"
    "\n"
    "  --json           every number, as one JSON object\n"
    "  --section NAME   only these: findings, bounds, overview, phases, slowest, path, weighted,\n"
    "                   parallelism, use, workers, cost, local, reading\n"
    "  --build ID       of a trace with several builds this one (or what begins so), not the "
    "last;\n"
    "                   without a BUILD the same as that\n"
    "\n"
    "examples:\n"
    "  llama report\n"
    "  llama report --section findings,use before\n"
    "  llama report --json 20261122-0820 | jq .cost.total_usd\n",
    Run};

}  // namespace llama::app
