// BuildRecord: what is known of a build besides its trace. It is kept in builds/<id>/build.json
// below the state folder, beside trace.ndjson.zst; written when the build begins and again when it
// ends, so an interrupted build has one too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace llama::builds {

struct BuildRecord {
  std::string id;
  std::string name;
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<std::string> command;
  std::string cwd;
  int64_t start_ns = 0;  // since the Unix epoch
  std::optional<int64_t> end_ns;
  std::optional<int64_t> status;  // exit status as a shell has it
  int64_t cpus = 0;               // of the build host
  std::string version;            // of llama
  bool unnamed = false;           // gathers compiles that were run outside `llama build`
};

// "20261122-082050-3f9a": local time, and four hex digits from `random`.
std::string NewBuildId(int64_t now_ns, uint64_t random);

// The command as one would type it: words that a shell would split or expand are quoted.
std::string ShellCommand(const std::vector<std::string>& command);

std::string BuildsDir(const std::string& state_dir);
std::string BuildDir(const std::string& state_dir, std::string_view id);
std::string TracePath(const std::string& build_dir);
std::string ColumnsPath(const std::string& build_dir);  // traces/load/columnar_file.h

std::string ToJson(const BuildRecord& record);  // one line
Result<BuildRecord> ParseBuildRecord(std::string_view json);

// Atomic: a reader sees the old or the new.
Result<void> WriteBuildRecord(const std::string& build_dir, const BuildRecord& record);
// Of a folder without a readable build.json only the id (the folder's name) is known; kNotFound
// if there is no such folder.
Result<BuildRecord> ReadBuildRecord(const std::string& build_dir);

// When the build began: by its record, or, where that does not say, when its folder last changed.
int64_t BeganNs(const std::string& build_dir, const BuildRecord& record);

// Every build, the latest (by BeganNs) last, but those whose names begin with a dot. No folder:
// none.
Result<std::vector<BuildRecord>> ListBuilds(const std::string& state_dir);

}  // namespace llama::builds
