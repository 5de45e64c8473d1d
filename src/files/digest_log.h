// The digest cache's file: fixed-size records, appended, and written anew when too many are
// superseded (docs/wire_format.md, "Digest cache file"). Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/file_identity.h"
#include "base/result.h"
#include "store/digest.h"

namespace llama::files {

struct DigestRecord {
  FileId id;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  store::Digest digest;
  uint32_t text_flags = 0;
};

class DigestLog {
 public:
  // Opens or creates the file and gives its sound records in order. A file that is no digest cache
  // is started anew.
  static Result<std::pair<DigestLog, std::vector<DigestRecord>>> Open(const std::string& path);

  Result<void> Append(const std::vector<DigestRecord>& records);
  // Replaces the whole file, atomically.
  Result<void> Rewrite(const std::vector<DigestRecord>& records);
  // In the file now, superseded ones included.
  uint64_t record_count() const;

 private:
  DigestLog(std::string path, Fd fd, uint64_t size_bytes)
      : path_(std::move(path)), fd_(std::move(fd)), size_bytes_(size_bytes) {}

  std::string path_;
  Fd fd_;
  uint64_t size_bytes_;
};

}  // namespace llama::files
