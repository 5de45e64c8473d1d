#include "builds/store.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>

#include "base/file.h"
#include "trace/span.h"
#include "traces/columns/numbers.h"

namespace llama::builds {
namespace {

// Lists leave out names that begin with a dot.
constexpr const char* kRemovedPrefix = ".removed-";

Fd OpenAt(const std::string& path, int flags) {
  return Fd(open(path.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

bool LockedByOthers(const Fd& fd) {
  return fd.valid() && flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

int64_t SizeOf(const std::string& dir) {
  const auto names = ListDir(dir);
  if (!names) return 0;
  int64_t bytes = 0;
  for (const std::string& name : *names) {
    struct stat status;
    if (lstat(JoinPath(dir, name).c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      bytes = traces::AddUp(bytes, status.st_size);
    }
  }
  return bytes;
}

// A number ≥ 0 and what follows it.
std::optional<std::pair<double, std::string_view>> SplitNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  return std::pair(number, text.substr(static_cast<size_t>(end - text.data())));
}

struct Suffix {
  std::string_view text;
  double factor;
};

template <size_t N>
Result<int64_t> ParseWithUnit(std::string_view text, const std::array<Suffix, N>& suffixes,
                              const char* what) {
  const auto number = SplitNumber(text);
  for (const Suffix& suffix : suffixes) {
    if (!number || number->second != suffix.text) continue;
    const double value = number->first * suffix.factor;
    if (value < 9e18) return static_cast<int64_t>(value);
  }
  return Error{Code::kInvalid, "'" + std::string(text) + "' is no " + what};
}

// What was renamed away and not deleted, because the process ended in between.
void DeleteLeftOvers(const std::string& builds_dir) {
  const auto names = ListDir(builds_dir);
  if (!names) return;
  for (const std::string& name : *names) {
    if (name.starts_with(kRemovedPrefix)) {
      (void)RemoveTree(JoinPath(builds_dir, name)).has_value();  // the next removal tries again
    }
  }
}

}  // namespace

std::string_view StatusWord(const StoredBuild& build) {
  if (build.running) return "running";
  if (build.record.unnamed) return "-";
  if (!build.record.status) return "unfinished";
  return *build.record.status == 0 ? "ok" : "failed";
}

Result<std::vector<StoredBuild>> ListStoredBuilds(const std::string& state_dir) {
  ASSIGN_OR_RETURN(std::vector<BuildRecord> records, ListBuilds(state_dir));
  std::vector<StoredBuild> builds;
  for (BuildRecord& record : records) {
    StoredBuild& build = builds.emplace_back();
    build.record = std::move(record);
    const std::string dir = BuildDir(state_dir, build.record.id);
    build.start_ns = BeganNs(dir, build.record);
    build.size_bytes = SizeOf(dir);
    build.running = IsHeld(dir);
  }
  std::stable_sort(builds.begin(), builds.end(),
                   [](const auto& a, const auto& b) { return a.start_ns < b.start_ns; });
  return builds;
}

bool Matches(const StoredBuild& build, const BuildFilter& filter) {
  if (!filter.name.empty() && fnmatch(filter.name.c_str(), build.record.name.c_str(), 0) != 0) {
    return false;
  }
  for (const auto& tag : filter.tags) {
    const auto& tags = build.record.tags;
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) return false;
  }
  if (!filter.status.empty() && StatusWord(build) != filter.status) return false;
  return !filter.since_ns || build.start_ns >= *filter.since_ns;
}

std::vector<StoredBuild> PickForPruning(const std::vector<StoredBuild>& builds,
                                        const PruneRule& rule, bool force) {
  std::vector<StoredBuild> picked;
  uint64_t newer = 0;
  int64_t bytes = 0;
  for (auto it = builds.rbegin(); it != builds.rend(); ++it) {
    bytes = traces::AddUp(bytes, it->size_bytes);
    const bool goes = (rule.before_ns && it->start_ns < *rule.before_ns) ||
                      (rule.keep && newer >= *rule.keep) ||
                      (rule.max_bytes && bytes > *rule.max_bytes);
    ++newer;
    if (goes && (force || !it->running)) picked.push_back(*it);
  }
  std::reverse(picked.begin(), picked.end());
  return picked;
}

Fd HoldBuild(const std::string& build_dir) {
  Fd dir = OpenAt(build_dir, O_RDONLY | O_DIRECTORY);
  if (dir.valid() && flock(dir.get(), LOCK_SH) != 0) return Fd();
  return dir;
}

bool IsHeld(const std::string& build_dir) {
  return LockedByOthers(OpenAt(build_dir, O_RDONLY | O_DIRECTORY)) ||
         LockedByOthers(OpenAt(TracePath(build_dir), O_RDONLY));
}

Result<void> RemoveBuild(const std::string& state_dir, const std::string& id, bool force) {
  if (id.empty() || id.front() == '.' || id.find('/') != std::string::npos) {
    return Error{Code::kInvalid, "'" + id + "' is no build"};
  }
  const std::string builds_dir = BuildsDir(state_dir);
  const std::string dir = BuildDir(state_dir, id);
  DeleteLeftOvers(builds_dir);
  // Held until the folder has its other name, so that nobody begins to record in between.
  const Fd folder = OpenAt(dir, O_RDONLY | O_DIRECTORY);
  const Fd trace = OpenAt(TracePath(dir), O_RDONLY);
  if (!force && (LockedByOthers(folder) || LockedByOthers(trace))) {
    return Error{Code::kUnavailable, id + " is still running"};
  }
  const std::string removed = JoinPath(builds_dir, kRemovedPrefix + trace::Hex(trace::NewSpanId()));
  if (rename(dir.c_str(), removed.c_str()) != 0) return ErrnoError(errno, dir);
  return RemoveTree(removed);
}

Result<int64_t> ParseAge(std::string_view text) {
  constexpr std::array<Suffix, 5> kSuffixes = {
      {{"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}, {"w", 604800e9}}};
  return ParseWithUnit(text, kSuffixes, "age: 90s, 15m, 12h, 30d and 2w are some");
}

Result<int64_t> ParseSize(std::string_view text) {
  constexpr std::array<Suffix, 10> kSuffixes = {{{"", 1},
                                                 {"B", 1},
                                                 {"kB", 1e3},
                                                 {"MB", 1e6},
                                                 {"GB", 1e9},
                                                 {"TB", 1e12},
                                                 {"KiB", 1024.0},
                                                 {"MiB", 1048576.0},
                                                 {"GiB", 1073741824.0},
                                                 {"TiB", 1099511627776.0}}};
  return ParseWithUnit(text, kSuffixes, "size: 500MB, 1.5GB and 2GiB are some");
}

}  // namespace llama::builds
