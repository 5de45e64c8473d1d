// FileSystem: the view of this machine's files that a job's way goes through (scan, check, write),
// so that a test can change a file between two looks. Thread-safe.
//
// It only looks. What is written goes through base/staged_file.h, digests through
// files/digest_cache.h.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace llama {

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // As lstat(2) and stat(2); give 0 or errno.
  virtual int Lstat(const std::string& path, struct stat& st) const = 0;
  virtual int Stat(const std::string& path, struct stat& st) const = 0;
  virtual Result<std::string> ReadLink(const std::string& path) const = 0;
  // kInvalid if it is larger than `max_bytes`.
  virtual Result<std::string> ReadFile(const std::string& path, uint64_t max_bytes) const = 0;
  // The canonical path, as realpath(3).
  virtual Result<std::string> RealPath(const std::string& path) const = 0;
};

// The files of this machine as they are.
const FileSystem& LocalFileSystem();

}  // namespace llama
