// FileStamp: what shows that nobody has touched a file since it was taken.
//
// Size, mtime and mode can be set back by whoever may write; the time of change (ctime) can not,
// unless by setting the clock. But a clock ticks (every 1 to 10 ms in kernels before 6.13): what is
// done to a file within the tick of its stamp leaves no trace. FileClock tells which stamps such a
// tick may still hide something from.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace llama::mirror {

struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  mode_t mode = 0;
  off_t size_bytes = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;

  bool operator==(const FileStamp&) const = default;
  // Everything but the time of change.
  bool LooksLike(const FileStamp& other) const;
};

FileStamp StampOf(const struct stat& st);

// The time that a file system gives to what changes in it now; not this machine's clock, which is
// another one where the folder is a server's. Not thread-safe.
class FileClock {
 public:
  // `dir` must exist. The file that the clock reads has no name, so that no command reaches it.
  static Result<FileClock> Open(const std::string& dir);
  Result<int64_t> NowNs();

 private:
  explicit FileClock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace llama::mirror
