// DigestCache: SHA-256 of local files by (device, inode, size, mtime, ctime), kept across restarts.
//
// A file whose ctime is younger than the look's clock minus 50 ms could change again within one
// timestamp tick without showing it; its digest is returned but not cached ("racily clean", as git
// has it). The ctime alone decides: whatever changes a file, or sets its mtime, sets its ctime.
//
// The file's format and its invariants: docs/wire_format.md, "Digest cache file".
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "store/digest.h"

namespace llama::files {

// Words in a file's text that matter for where it may be compiled, found while it is digested. A
// file with a NUL in its first 4 KiB is no text: cc1 names them all.
enum TextFlag : unsigned {
  kMentionsTimestamp = 1,  // __TIMESTAMP__: the file's mtime shows in the object
};

struct FileDigest {
  store::Digest digest;
  uint64_t size_bytes = 0;
  bool executable = false;  // any x bit
  unsigned text_flags = 0;
};

// A text beyond this is digested by pieces, and not given.
inline constexpr uint64_t kMaxTextBytes = 64 << 20;

class DigestCache {
 public:
  // `path` empty: in memory only. A damaged file is started anew.
  static Result<std::unique_ptr<DigestCache>> Open(const std::string& path, const Clock& clock);
  ~DigestCache();
  // Of a regular file (following symlinks). Thread-safe, as all here. kInvalid if it is not one,
  // kUnavailable if it kept changing while it was read.
  Result<FileDigest> Get(const std::string& path);
  // The same when the caller has just looked: `st` is of the file that `path` leads to. Costs no
  // system call if the digest is known. Where it is not, and the file has to be read anyway, `text`
  // (if not null) becomes the very bytes that the digest is of; otherwise nothing.
  Result<FileDigest> Get(const std::string& path, const struct stat& st,
                         std::optional<std::string>* text = nullptr);
  // Writes what is new to the file. Also done at the end; an error loses nothing but time.
  Result<void> Flush();

 private:
  class Impl;
  explicit DigestCache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llama::files
