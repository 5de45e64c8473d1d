// StagedFile: a file that is written whole before anybody can see it under its name.
//
// Where the file system has O_TMPFILE it has no name until it is committed, so that a process
// killed in between leaves nothing behind; elsewhere it stands beside its target under a name of
// its own. Commit() puts it in its target's place in one step: a reader sees the old file or the
// new, and never none. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace llama {

class StagedFile {
 public:
  // What a power cut may leave. kFlushed: the old file or the new one, where the file system writes
  // out what rename(2) puts in another file's place (ext4, btrfs, xfs). kUnflushed: also an empty
  // one, as of a compiler; an eighth of what a compile costs the daemon was that writing.
  enum class Replace { kFlushed, kUnflushed };

  // Writes the bytes, to stand at `path` later; the umask does not apply to `mode`.
  static Result<StagedFile> Write(const std::string& path, std::string_view bytes, mode_t mode);
  StagedFile(StagedFile&& other) noexcept;
  StagedFile& operator=(StagedFile&&) = delete;
  ~StagedFile();  // not committed: as if it had never been

  // When it was written, by its own modification time: nanoseconds since the Unix epoch.
  Result<int64_t> ModifiedNs() const;
  Result<void> SetModifiedNs(int64_t time_ns);
  Result<void> Commit(Replace how);

 private:
  int Link(const std::string& name);  // gives a file without a name this one; 0 or errno
  Result<void> Done();
  StagedFile(std::string path, std::string temp, Fd fd)
      : path_(std::move(path)), temp_(std::move(temp)), fd_(std::move(fd)) {}

  std::string path_;
  std::string temp_;  // its name until then; empty: it has none
  Fd fd_;
};

}  // namespace llama
