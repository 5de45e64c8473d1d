// Inode: what a compiler sees of a file besides its name and content, and what a mirror of contents
// alone does not have: when it was modified, and which names are names of one file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace llama::tree {

struct Inode {
  std::string path;  // canonical
  int64_t mtime_ns = 0;
  // Names with the same one, of those that are listed together, are one file; not 0.
  uint64_t number = 0;
  bool operator==(const Inode&) const = default;
};

// By path. Null: there are none.
using Inodes = std::shared_ptr<const std::vector<Inode>>;

}  // namespace llama::tree
