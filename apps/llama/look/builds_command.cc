// llama builds: the builds that are recorded; naming, tagging and removing them.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "base/clock.h"
#include "base/text/format.h"
#include "builds/names.h"
#include "builds/record.h"
#include "builds/store.h"
#include "client/connection.h"
#include "llama/command.h"
#include "llama/look/report_build.h"

namespace llama::app {
namespace {

using builds::BuildRecord;
using builds::StoredBuild;

constexpr std::array<Option, 12> kOptions = {{{"--json"},
                                              {"--names"},
                                              {"--name", true},
                                              {"--tag", true},
                                              {"--status", true},
                                              {"--since", true},
                                              {"--limit", true},
                                              {"--older-than", true},
                                              {"--keep", true},
                                              {"--max-bytes", true},
                                              {"--dry-run"},
                                              {"--force"}}};

std::string StatusOf(const StoredBuild& build) {
  const BuildRecord& record = build.record;
  if (build.running) return "running";
  if (record.unnamed) return "-";
  if (!record.status) return "unfinished";
  if (*record.status == 0) return "ok";
  if (*record.status > 128) return "signal " + std::to_string(*record.status - 128);
  return "exit " + std::to_string(*record.status);
}

std::string WallOf(const BuildRecord& build) {
  int64_t wall_ns = 0;
  if (!build.end_ns || __builtin_sub_overflow(*build.end_ns, build.start_ns, &wall_ns)) return "-";
  return wall_ns < 0 ? "-" : FormatDuration(wall_ns);
}

std::string TagsOf(const BuildRecord& build) {
  std::string text;
  for (const auto& [key, value] : build.tags) {
    text.append(text.empty() ? "" : " ").append(Printable(key + "=" + value));
  }
  return text;
}

void PrintTable(const std::vector<StoredBuild>& builds) {
  std::vector<std::array<std::string, 7>> rows = {
      {"ID", "NAME", "WALL TIME", "SIZE", "STATUS", "TAGS", "COMMAND"}};
  for (const StoredBuild& build : builds) {
    const BuildRecord& record = build.record;
    rows.push_back({Printable(record.id), Printable(record.name), WallOf(record),
                    FormatBytes(build.size_bytes), StatusOf(build), TagsOf(record),
                    record.unnamed ? "(compiles outside llama build)"
                                   : Printable(builds::ShellCommand(record.command))});
  }
  std::array<size_t, 7> widths = {};
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  const bool tagged = std::any_of(builds.begin(), builds.end(),
                                  [](const auto& build) { return !build.record.tags.empty(); });
  for (const auto& row : rows) {
    std::string line = PadRight(row[0], widths[0] + 2) + PadRight(row[1], widths[1] + 2) +
                       PadLeft(row[2], widths[2]) + "  " + PadLeft(row[3], widths[3]) + "  " +
                       PadRight(row[4], widths[4] + 2);
    if (tagged) line += PadRight(row[5], widths[5] + 2);
    std::printf("%s%s\n", line.c_str(), row[6].c_str());
  }
}

void PrintJson(const std::vector<StoredBuild>& builds) {
  std::string json = "[";
  for (const StoredBuild& build : builds) {
    std::string object = ToJson(build.record);
    object.pop_back();
    object.append(",\"size_bytes\":").append(std::to_string(build.size_bytes));
    object.append(",\"running\":").append(build.running ? "true}" : "false}");
    json.append(json.size() > 1 ? ",\n " : "").append(object);
  }
  std::printf("%s]\n", json.c_str());
}

// For shells to complete: those of the latest builds come first. What a terminal can't show, nobody
// types.
void PrintNames(const std::vector<StoredBuild>& builds) {
  std::vector<std::string_view> names;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && Printable(name) == name) names.push_back(name);
  };
  for (auto build = builds.rbegin(); build != builds.rend(); ++build) {
    if (std::find(names.begin(), names.end(), build->record.name) == names.end()) {
      add(build->record.name);
    }
    add(build->record.id);
  }
  for (const std::string_view name : names) {
    std::printf("%.*s\n", static_cast<int>(name.size()), name.data());
  }
}

Result<uint64_t> ParseCount(const std::string& text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return Error{Code::kInvalid, "'" + text + "' is no number"};
  }
  return count;
}

Result<std::pair<std::string, std::string>> ParseTag(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    return Error{Code::kInvalid, "a tag is KEY=VALUE, not '" + text + "'"};
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Result<int64_t> AgeBeforeNow(const std::string& age) {
  ASSIGN_OR_RETURN(const int64_t age_ns, builds::ParseAge(age));
  return SystemClock().NowNs() - age_ns;
}

Result<builds::BuildFilter> ReadFilter(const ParsedArguments& parsed) {
  builds::BuildFilter filter;
  filter.name = parsed.Value("--name");
  filter.status = parsed.Value("--status");
  for (const auto& [option, value] : parsed.options) {
    if (option != "--tag") continue;
    ASSIGN_OR_RETURN(auto tag, ParseTag(value));
    filter.tags.push_back(std::move(tag));
  }
  if (parsed.Has("--since")) {
    ASSIGN_OR_RETURN(filter.since_ns, AgeBeforeNow(parsed.Value("--since")));
  }
  constexpr std::array<std::string_view, 5> kStatuses = {"", "ok", "failed", "running",
                                                         "unfinished"};
  if (std::find(kStatuses.begin(), kStatuses.end(), filter.status) == kStatuses.end()) {
    return Error{Code::kInvalid, "--status is ok, failed, running or unfinished"};
  }
  return filter;
}

Result<std::vector<StoredBuild>> ListMatching(const std::string& state_dir,
                                              const builds::BuildFilter& filter) {
  ASSIGN_OR_RETURN(std::vector<StoredBuild> builds, builds::ListStoredBuilds(state_dir));
  std::erase_if(builds, [&](const StoredBuild& build) { return !builds::Matches(build, filter); });
  return builds;
}

// What was asked for, and is known to be well asked.
struct Request {
  std::string action;  // "" lists
  std::vector<std::string> words;
  bool json = false;
  bool names = false;
  bool force = false;
  bool dry_run = false;
  builds::BuildFilter filter;
  std::optional<uint64_t> limit;
  builds::PruneRule rule;
  std::vector<std::pair<std::string, std::string>> tags;  // of `tag`; no value: take it away
};

// The options that an action has, besides those of the list.
Result<void> CheckOptions(const ParsedArguments& parsed, const std::string& action) {
  const auto is_one_of = [](std::string_view option, std::initializer_list<const char*> of) {
    return std::find(of.begin(), of.end(), option) != of.end();
  };
  for (const auto& [option, value] : parsed.options) {
    const bool filters = is_one_of(option, {"--name", "--tag", "--status", "--since"});
    const bool fine =
        action.empty()      ? filters || is_one_of(option, {"--json", "--names", "--limit"})
        : action == "prune" ? filters || is_one_of(option, {"--older-than", "--keep", "--max-bytes",
                                                            "--json", "--dry-run", "--force"})
        : action == "rm"    ? is_one_of(option, {"--force", "--dry-run"})
                            : false;
    if (!fine) return Error{Code::kInvalid, option + " is not for this"};
  }
  return {};
}

// Whether an action has the words, and prune the rules, that it needs.
Result<void> CheckWords(const Request& request) {
  const size_t words = request.words.size();
  if (request.action == "rm" && words == 0) return Error{Code::kInvalid, "rm needs builds"};
  if (request.action == "rename" && words != 2) {
    return Error{Code::kInvalid, "rename needs a build and a name"};
  }
  if (request.action == "tag" && words < 2) {
    return Error{Code::kInvalid, "tag needs a build and KEY=VALUE"};
  }
  if (request.action == "prune") {
    if (words > 0) return Error{Code::kInvalid, "prune takes no builds; rm does"};
    if (!request.rule.before_ns && !request.rule.keep && !request.rule.max_bytes) {
      return Error{Code::kInvalid, "prune needs --older-than, --keep or --max-bytes"};
    }
  }
  // An empty name takes a build's name away; everything else that is empty is a mistake.
  const auto end =
      request.words.begin() + (request.action == "rename" ? 1 : std::ssize(request.words));
  if (std::find(request.words.begin(), end, "") != end) {
    return Error{Code::kInvalid, "an empty argument"};
  }
  return {};
}

Result<Request> ReadRequest(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ParsedArguments parsed, ParseArguments(arguments, kOptions));
  Request request;
  request.words = parsed.rest;
  if (!request.words.empty()) {
    request.action = request.words[0];
    request.words.erase(request.words.begin());
    constexpr std::array<std::string_view, 4> kActions = {"rm", "rename", "tag", "prune"};
    if (std::find(kActions.begin(), kActions.end(), request.action) == kActions.end()) {
      return Error{Code::kInvalid, "there are rm, rename, tag and prune, but no '" +
                                       request.action + "'; without a word it lists"};
    }
  }
  TRY(CheckOptions(parsed, request.action));
  request.json = parsed.Has("--json");
  request.names = parsed.Has("--names");
  if (request.json && request.names) return Error{Code::kInvalid, "either --json or --names"};
  request.force = parsed.Has("--force");
  request.dry_run = parsed.Has("--dry-run");
  ASSIGN_OR_RETURN(request.filter, ReadFilter(parsed));
  if (parsed.Has("--limit")) {
    ASSIGN_OR_RETURN(request.limit, ParseCount(parsed.Value("--limit")));
  }
  if (parsed.Has("--older-than")) {
    ASSIGN_OR_RETURN(request.rule.before_ns, AgeBeforeNow(parsed.Value("--older-than")));
  }
  if (parsed.Has("--keep")) {
    ASSIGN_OR_RETURN(request.rule.keep, ParseCount(parsed.Value("--keep")));
  }
  if (parsed.Has("--max-bytes")) {
    ASSIGN_OR_RETURN(request.rule.max_bytes, builds::ParseSize(parsed.Value("--max-bytes")));
  }
  TRY(CheckWords(request));
  for (size_t i = 1; request.action == "tag" && i < request.words.size(); ++i) {
    ASSIGN_OR_RETURN(auto tag, ParseTag(request.words[i]));
    request.tags.push_back(std::move(tag));
  }
  return request;
}

Result<void> List(const std::string& state_dir, const Request& request) {
  ASSIGN_OR_RETURN(std::vector<StoredBuild> builds, ListMatching(state_dir, request.filter));
  if (request.limit && builds.size() > *request.limit) {
    builds.erase(builds.begin(), builds.end() - static_cast<std::ptrdiff_t>(*request.limit));
  }
  if (request.json) {
    PrintJson(builds);
    return {};
  }
  if (request.names) {
    PrintNames(builds);
    return {};
  }
  if (!builds.empty()) {
    PrintTable(builds);
    return {};
  }
  const auto all = builds::ListBuilds(state_dir);
  std::printf("%s\n", all && !all->empty() ? "No build is like that."
                                           : "No builds yet. Try: llama build -- make -j32");
  return {};
}

// All are looked up before the first one goes: a typing error costs nothing.
Result<void> Remove(const std::string& state_dir, const Request& request) {
  ASSIGN_OR_RETURN(const builds::Names names, builds::Names::Of(state_dir));
  std::vector<BuildRecord> records;
  for (const std::string& word : request.words) {
    ASSIGN_OR_RETURN(std::vector<BuildRecord> found, names.FindToChange(word));
    for (BuildRecord& record : found) {
      const auto same = [&](const BuildRecord& other) { return other.id == record.id; };
      if (std::none_of(records.begin(), records.end(), same)) records.push_back(std::move(record));
    }
  }
  for (const BuildRecord& record : records) {
    if (!request.dry_run) TRY(builds::RemoveBuild(state_dir, record.id, request.force));
    std::printf("%s %s\n", request.dry_run ? "would remove" : "removed",
                Printable(record.id).c_str());
  }
  return {};
}

Result<void> Change(const std::string& state_dir, const Request& request) {
  ASSIGN_OR_RETURN(const builds::Names names, builds::Names::Of(state_dir));
  ASSIGN_OR_RETURN(std::vector<BuildRecord> found, names.FindToChange(request.words[0]));
  if (found.size() > 1) {
    return Error{Code::kInvalid, FormatCount(found.size()) + " builds are like '" +
                                     request.words[0] + "'; one at a time"};
  }
  BuildRecord& record = found[0];
  const std::string dir = builds::BuildDir(state_dir, record.id);
  // It writes its record when it ends, with the name and the tags that it began with.
  if (builds::IsHeld(dir)) return Error{Code::kUnavailable, record.id + " is still running"};
  if (request.action == "rename") record.name = request.words[1];
  for (const auto& wanted : request.tags) {
    std::erase_if(record.tags, [&](const auto& tag) { return tag.first == wanted.first; });
    if (!wanted.second.empty()) record.tags.push_back(wanted);
  }
  return builds::WriteBuildRecord(dir, record);
}

Result<void> Prune(const std::string& state_dir, const Request& request) {
  ASSIGN_OR_RETURN(const std::vector<StoredBuild> builds, ListMatching(state_dir, request.filter));
  const std::vector<StoredBuild> going =
      builds::PickForPruning(builds, request.rule, request.force);
  int64_t bytes = 0;
  for (const StoredBuild& build : going) {
    if (!request.dry_run) TRY(builds::RemoveBuild(state_dir, build.record.id, request.force));
    bytes += std::min(build.size_bytes, INT64_MAX - bytes);
  }
  if (request.json) {
    PrintJson(going);
    return {};
  }
  if (!going.empty()) PrintTable(going);
  std::printf("%s%s %s of %s, %s\n", going.empty() ? "" : "\n",
              request.dry_run ? "would remove" : "removed", FormatCount(going.size()).c_str(),
              FormatCount(builds.size()).c_str(), FormatBytes(bytes).c_str());
  return {};
}

Result<void> Do(const Request& request) {
  ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
  if (request.action.empty()) return List(state_dir, request);
  if (request.action == "rm") return Remove(state_dir, request);
  if (request.action == "prune") return Prune(state_dir, request);
  return Change(state_dir, request);
}

int Run(const Arguments& arguments) {
  const auto request = ReadRequest(arguments);
  if (!request) return UsageError("builds", request.error().message);
  if (const auto done = Do(*request); !done) {
    (void)std::fflush(stdout);
    PrintError(done.error().message);
    return kFailed;
  }
  return FinishOutput();
}

}  // namespace

const Command kBuildsCommand = {
    "builds", "list the builds that are recorded; name, tag and remove them",
    "usage: llama builds [FILTER]... [--limit N] [--json | --names]\n"
    "       llama builds rename BUILD NAME\n"
    "       llama builds tag BUILD KEY=VALUE...\n"
    "       llama builds rm [--force] [--dry-run] BUILD...\n"
    "       llama builds prune [--older-than AGE] [--keep N] [--max-bytes SIZE] [FILTER]...\n"
    "                          [--dry-run] [--force] [--json]\n"
    "\n"
    "Lists recorded builds, the latest last: id, name, wall time, size on disk, how the command\n"
    "ended, tags, and the command. BUILD is an id or the beginning of one, a name that no other\n"
    "build has, latest, or, for rm, a pattern such as 'redis*' ('llama help names'). tag sets\n"
    "tags, and takes away those without a value. rm and prune delete builds for good; one that is\n"
    "still running only with --force.\n"
    "\n"
    "  --name PATTERN    FILTER: of this name; * and ? as in a shell\n"
    "  --tag KEY=VALUE   FILTER: with this tag; may be repeated\n"
    "  --status STATUS   FILTER: ok, failed, running or unfinished\n"
    "  --since AGE       FILTER: begun no longer ago: 90s, 15m, 12h, 30d, 2w\n"
    "  --limit N         only the latest N\n"
    "  --older-than AGE  remove what began longer ago\n"
    "  --keep N          remove all but the latest N\n"
    "  --max-bytes SIZE  remove the oldest until the rest fits: 500MB, 2GiB\n"
    "  --dry-run         only say what would be removed\n"
    "  --json            as a JSON array, one object a build\n"
    "  --names           only what they may be called by, one a line, the latest first\n"
    "\n"
    "examples:\n"
    "  llama builds --tag branch=main --since 7d\n"
    "  llama builds --json | jq -r '.[-1].id'\n"
    "  llama builds rename 20261122-0820 before\n"
    "  llama builds tag before compiler=gcc-12 note=\n"
    "  llama builds prune --keep 50 --max-bytes 5GB --dry-run\n",
    Run};

}  // namespace llama::app
