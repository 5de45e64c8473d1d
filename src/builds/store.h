// The folder of builds as a store: which of them are meant, how large they are, which are still
// running, and removing them.
//
// Whoever records into a build holds a shared lock (flock) on its folder or on its trace: `llama
// build` on the folder, the daemon on the trace while it has it open. A lock ends with its process,
// however that ends, so what is not locked is not running.
//
// A build is removed by renaming its folder to a name that no list shows, and then deleting that:
// it is there or not there, never half. Links are not followed, and only direct children of the
// folder of builds are touched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "builds/record.h"

namespace llama::builds {

struct StoredBuild {
  BuildRecord record;
  int64_t start_ns = 0;    // the record's, or the folder's own time where there is none
  int64_t size_bytes = 0;  // of the files in its folder
  bool running = false;
};

// What the status is called: "ok", "failed", "running", "unfinished", or "-" of unnamed ones that
// do not run.
std::string_view StatusWord(const StoredBuild& build);

// Every build, the latest last, as ListBuilds.
Result<std::vector<StoredBuild>> ListStoredBuilds(const std::string& state_dir);

struct BuildFilter {
  std::string name;  // a pattern as of a shell's (fnmatch); empty: any
  std::vector<std::pair<std::string, std::string>> tags;  // all of them
  std::string status;                                     // StatusWord, or empty
  std::optional<int64_t> since_ns;
};
bool Matches(const StoredBuild& build, const BuildFilter& filter);

// Builds go that are older, or beyond the newest `keep`, or beyond the newest that fit into
// `max_bytes` together: whichever of these is set.
struct PruneRule {
  std::optional<int64_t> before_ns;
  std::optional<uint64_t> keep;
  std::optional<int64_t> max_bytes;
};
// Of builds in order of their start, those that go, the oldest first. Running ones stay, but count.
std::vector<StoredBuild> PickForPruning(const std::vector<StoredBuild>& builds,
                                        const PruneRule& rule, bool force);

// Held while something is recorded into the build. Where the file system has no locks there is
// none, and that is no error.
Fd HoldBuild(const std::string& build_dir);
bool IsHeld(const std::string& build_dir);

// kUnavailable if it is running, without `force`. `id` names a folder in the folder of builds.
Result<void> RemoveBuild(const std::string& state_dir, const std::string& id, bool force);

// "90s", "15m", "12h", "30d", "2w" as nanoseconds; kInvalid for anything else.
Result<int64_t> ParseAge(std::string_view text);
// "500", "20kB", "1.5GB", "2GiB".
Result<int64_t> ParseSize(std::string_view text);

}  // namespace llama::builds
