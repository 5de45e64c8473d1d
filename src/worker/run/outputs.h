// OutputWatch: finds what a command left in its output directories, by looking before and after.
// It needs no list of options that name outputs: whatever is new or was written to counts.
//
// Only regular files directly in the directories count; symbolic links are never followed.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "job/job.h"

namespace llama::worker {

// What changes when a file is written to, replaced or truncated.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp StampOf(const struct stat& st);

class OutputWatch {
 public:
  // `dirs` and the files' paths are local; `root` stands before them on disk.
  OutputWatch(std::string root, std::vector<std::string> dirs);

  // Puts a file at `path`, dated so that any write to it shows. No error if one is there. It is not
  // empty: GNU as writes into an empty object, and replaces any other.
  Result<void> Place(const std::string& path, mode_t mode);
  // Remembers what is there now.
  Result<void> Begin();
  // What is new or changed since, in order of paths. kInvalid if it is more than `max_bytes`.
  Result<std::vector<job::OutputFile>> Collect(uint64_t max_bytes) const;
  // Those of `written` (local) that are there now, or would be if their folders were, and that
  // Collect can't see.
  std::vector<std::string> Strays(const std::vector<std::string>& written) const;
  // Those of `paths` that are not there any more.
  std::vector<std::string> Gone(const std::vector<std::string>& paths) const;

 private:
  std::string root_;
  std::vector<std::string> dirs_;
  std::map<std::string, FileStamp> before_;
};

}  // namespace llama::worker
