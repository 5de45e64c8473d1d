// llama compare: two builds, or two groups of builds, side by side.
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <cstdio>
#include <iterator>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "analysis/compare/compare.h"
#include "base/file.h"
#include "builds/record.h"
#include "llama/command.h"
#include "llama/look/named_builds.h"
#include "llama/look/report_build.h"
#include "llama/terminal_style.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 3> kOptions = {{{"--a", true}, {"--b", true}, {"--json"}}};

using Names = std::vector<std::string>;

// "x,y,z"; an empty one would be the latest build, which nobody means here.
Result<void> AddNames(const std::string& text, Names& names) {
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (end == begin) return Error{Code::kInvalid, "an empty name in '" + text + "'"};
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return {};
}

struct Request {
  Names a;
  Names b;
  bool json = false;
};

Result<Request> ReadRequest(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ParsedArguments parsed, ParseArguments(arguments, kOptions));
  Request request;
  request.json = parsed.Has("--json");
  for (const auto& [option, value] : parsed.options) {
    if (option == "--a") TRY(AddNames(value, request.a));
    if (option == "--b") TRY(AddNames(value, request.b));
  }
  const bool groups = !request.a.empty() || !request.b.empty();
  if (groups && (request.a.empty() || request.b.empty() || !parsed.rest.empty())) {
    return Error{Code::kInvalid, "either two builds, or --a and --b"};
  }
  if (!groups) {
    if (parsed.rest.size() != 2) return Error{Code::kInvalid, "two builds to compare"};
    for (const std::string& name : parsed.rest) {
      if (name.empty()) return Error{Code::kInvalid, "an empty name"};
    }
    request.a = {parsed.rest[0]};
    request.b = {parsed.rest[1]};
  }
  if (std::count(request.a.begin(), request.a.end(), "-") +
          std::count(request.b.begin(), request.b.end(), "-") >
      1) {
    return Error{Code::kInvalid, "standard input is one trace"};
  }
  return request;
}

struct Compared {
  builds::Named named;
  std::string called;  // as the user calls it: of what a pattern names, its id
};

// Those of the first side, and behind them those of the other.
struct Sides {
  std::vector<Compared> builds;
  size_t of_a = 0;
};

Result<void> Resolve(const Names& names, std::vector<Compared>& out) {
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const auto found, ResolveNames({name}));
    for (const builds::Named& named : found) {
      out.push_back({named, found.size() == 1 ? name : std::string(BaseName(named.path))});
    }
  }
  return {};
}

Result<Sides> Resolve(const Request& request) {
  Sides sides;
  TRY(Resolve(request.a, sides.builds));
  sides.of_a = sides.builds.size();
  TRY(Resolve(request.b, sides.builds));
  return sides;
}

// One build under two names would look like two that agree perfectly, which the test takes for
// evidence; on both sides it says nothing at all.
Result<void> CheckDistinct(const std::vector<Compared>& builds) {
  std::map<std::pair<dev_t, ino_t>, std::string> seen;
  for (const auto& [named, called] : builds) {
    struct stat status {};
    const int missing =
        named.path == "-" ? fstat(STDIN_FILENO, &status) : stat(named.path.c_str(), &status);
    // A build may be named by its folder or by the trace in it.
    if (missing == 0 && named.is_build) {
      struct stat trace {};
      if (stat(builds::TracePath(named.path).c_str(), &trace) == 0) status = trace;
    }
    if (missing != 0) continue;  // loading it tells
    const auto [before, is_new] = seen.emplace(std::pair(status.st_dev, status.st_ino), called);
    if (is_new) continue;
    if (before->second == called) {
      return Error{Code::kInvalid, "'" + called + "' is given more than once"};
    }
    return Error{Code::kInvalid,
                 "'" + before->second + "' and '" + called + "' are the same build"};
  }
  if (builds.size() > analysis::kMaxCompared) {
    return Error{Code::kInvalid, "more than " + std::to_string(analysis::kMaxCompared) + " builds"};
  }
  return {};
}

Result<analysis::BuildProfile> LoadProfile(const builds::Named& named) {
  ASSIGN_OR_RETURN(const LoadedBuild build, LoadBuild(named));
  const builds::BuildRecord* record = build.record ? &*build.record : nullptr;
  return analysis::ProfileBuild(build.trace, record != nullptr ? record->id : named.path, record);
}

// The memory of one build is used again for the next instead of going back to the system, which
// would have to clear it: with builds of a million spans that was half of the time.
void KeepFreedMemory() {
  constexpr int kLargestBlock = 32 << 20;  // that glibc takes from its heap if it is told to
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, kLargestBlock);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

// Builds are read side by side: each is a second's work at most, but there may be many. The first
// error in the order of `builds` counts.
Result<analysis::Side> LoadProfiles(const std::vector<Compared>& builds) {
  KeepFreedMemory();
  std::vector<std::optional<Result<analysis::BuildProfile>>> loaded(builds.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < builds.size(); i = next++) loaded[i] = LoadProfile(builds[i].named);
  };
  // Each has a build in memory.
  constexpr size_t kMaxThreads = 4;
  const size_t threads =
      std::min({kMaxThreads, builds.size(), size_t{std::thread::hardware_concurrency()}});
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  analysis::Side side;
  for (auto& profile : loaded) {
    if (!*profile) return std::move(*profile).error();
    side.push_back(**std::move(profile));
  }
  return side;
}

int Run(const Arguments& arguments) {
  const auto request = ReadRequest(arguments);
  if (!request) return UsageError("compare", request.error().message);
  const auto sides = Resolve(*request);
  if (!sides) {
    PrintError(sides.error().message);
    return kFailed;
  }
  if (const auto distinct = CheckDistinct(sides->builds); !distinct) {
    return UsageError("compare", distinct.error().message);
  }
  auto profiles = LoadProfiles(sides->builds);
  if (!profiles) {
    PrintError(profiles.error().message);
    return kFailed;
  }
  const auto middle = profiles->begin() + static_cast<std::ptrdiff_t>(sides->of_a);
  const analysis::Side b(std::make_move_iterator(middle), std::make_move_iterator(profiles->end()));
  profiles->erase(middle, profiles->end());
  const analysis::Comparison comparison = analysis::Compare(*profiles, b);
  const std::string text = request->json
                               ? analysis::FormatComparisonJson(comparison)
                               : analysis::FormatComparison(comparison, StyleOf(STDOUT_FILENO));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return FinishOutput();
}

}  // namespace

const Command kCompareCommand = {
    "compare", "lay two builds side by side, and say what changed",
    "usage: llama compare [--json] A B\n"
    "       llama compare [--json] --a BUILD[,BUILD]... --b BUILD[,BUILD]...\n"
    "\n"
    "Shows what changed from build A to build B: which of them failed, what was different (flags,\n"
    "compiler, command, jobs, version, tags), by how much B is faster or slower, figures, the "
    "wall\n"
    "clock by what bounded the build, the time of all compiles by phase (both sum to the "
    "difference\n"
    "exactly), each compile joined by its output and input (regressed, improved, new, gone), and\n"
    "distributions. A, B and BUILD are ids or their beginnings, names, latest, or trace files\n"
    "('llama help names'); a pattern such as 'redis*' stands for several. Each build may be named\n"
    "only once.\n"
    "\n"
    "With one build a side nobody can know what is noise. With several, medians are compared, and\n"
    "a difference is called one if the Mann-Whitney test tells the sides apart at 5 %; that takes\n"
    "four builds a side or more.\n"
    "\n"
    "  --a BUILDS   the builds of one side\n"
    "  --b BUILDS   those of the other\n"
    "  --json       every number, as one JSON object\n"
    "\n"
    "examples:\n"
    "  llama compare before after\n"
    "  llama compare --a 20261122-08,20261122-09 --b after,/tmp/trace.ndjson.zst\n"
    "  llama compare --json before after | jq '.units.all[] | select(.change == \"regressed\")'\n",
    Run};

}  // namespace llama::app
