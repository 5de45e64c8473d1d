// What a program needs to start: itself, its loader and shared libraries, and for a script its
// interpreter with the same of its own. Found by looking at the files; remembered by their
// identity. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace llama::daemon {

struct Closure {
  std::vector<std::string> files;         // absolute; itself first
  std::vector<std::string> library_dirs;  // folders of the libraries
  // Of a script: what the kernel puts before its path. The first is the program to execute.
  std::vector<std::string> interpreter;
};

class ProgramClosures {
 public:
  // `path` is absolute; `env` has the PATH that `#!/usr/bin/env X` finds X by, and the
  // LD_LIBRARY_PATH that libraries are found by. A file that is neither program, script nor shared
  // library is its own closure. kNotFound, or kInvalid: a library or an interpreter is missing.
  Result<std::shared_ptr<const Closure>> Get(const std::string& path,
                                             const std::vector<std::string>& env);

 private:
  struct Known {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t ctime_ns = 0;
    std::shared_ptr<const Closure> closure;
  };
  Result<Closure> Find(const std::string& path, const std::vector<std::string>& env, int scripts);

  std::map<std::string, Known> known_;
};

// Folders of a PATH-like value; empty ones are left out.
std::vector<std::string> SplitSearchPath(std::string_view value);

}  // namespace llama::daemon
