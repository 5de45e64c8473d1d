// DigestCache: SHA-256 of local files by (device, inode, size, mtime, ctime), kept across restarts.
//
// A file whose mtime or ctime is younger than the last look's clock minus 50 ms could change again
// within one timestamp tick without showing it; its digest is returned but not cached ("racily
// clean", as git has it).
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "store/digest.h"

namespace llama::store {

// Words in a file's text that matter for where it may be compiled, found while it is digested.
enum TextFlag : unsigned {
  kMentionsTimestamp = 1,   // __TIMESTAMP__: the file's mtime shows in the object
  kMentionsTimeOrDate = 2,  // __TIME__ or __DATE__
};

struct FileDigest {
  Digest digest;
  uint64_t size_bytes = 0;
  bool executable = false;  // any x bit
  unsigned text_flags = 0;
};

class DigestCache {
 public:
  // `path` empty: in memory only. A damaged file is started anew.
  static Result<std::unique_ptr<DigestCache>> Open(const std::string& path, const Clock& clock);
  virtual ~DigestCache() = default;
  // Of a regular file (following symlinks). Thread-safe. kInvalid if it is not one.
  virtual Result<FileDigest> Get(const std::string& path) = 0;
  virtual Result<void> Flush() = 0;
};

}  // namespace llama::store
