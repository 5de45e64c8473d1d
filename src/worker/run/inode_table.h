// The table by which the preloaded library answers stat (worker/preload/lookup_log.h, InodeTable).
#pragma once

#include <string>
#include <vector>

#include "tree/inode.h"

namespace llama::worker {

// `inodes` in the order of their paths.
std::string EncodeInodeTable(const std::vector<tree::Inode>& inodes);

}  // namespace llama::worker
