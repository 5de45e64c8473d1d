// PoolFolder: what one pool of workers has on this machine's disk, and nobody else's.
//
// Pools of several daemons can meet in one state folder: one that lost its socket ends its jobs
// while its successor starts. So each has a folder of its own below the common one, with a lock
// that ends with the process, however that ends. Whoever starts next removes those without one.
// Only what was made here is ever removed by its owner: by then somebody may have put another thing
// at the path, or moved ours.
//
// Not thread-safe.
#pragma once

#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"

namespace llama::cloud {

class PoolFolder {
 public:
  // Makes `parent` if it is not there, removes what it holds of pools that are no more, and makes a
  // folder for this one.
  static Result<PoolFolder> Claim(const std::string& parent);

  const std::string& path() const { return path_; }
  // Whether `path()` still leads to what was made.
  bool IsInPlace() const;
  // Removes it, wherever it has been moved to.
  void Remove();

 private:
  PoolFolder(std::string path, Fd dir) : path_(std::move(path)), dir_(std::move(dir)) {}
  std::string path_;
  Fd dir_;  // locked
};

}  // namespace llama::cloud
