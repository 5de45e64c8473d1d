// Digests one file as it is at one moment, and finds the words of files::TextFlag on the way.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "files/digest_cache.h"

namespace llama::files {

inline int64_t TimeNs(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

struct DigestedFile {
  FileDigest file;
  struct stat st {};      // of what was read
  int64_t looked_ns = 0;  // the clock before the first byte was read
};

// Follows symlinks. kInvalid: no regular file. kUnavailable: it changed each time it was read.
// `text`, if not null, becomes the bytes that the digest is of, unless there are more than
// kMaxTextBytes.
Result<DigestedFile> DigestFile(const std::string& path, const Clock& clock,
                                std::optional<std::string>* text = nullptr);

}  // namespace llama::files
