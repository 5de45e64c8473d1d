// The table by which the preloaded library answers stat (worker/preload/lookup_log.h, InodeTable).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tree/inode.h"

namespace llama::worker {

// kInvalid: not canonical, or not in the order of their paths, by which they are searched.
Result<void> CheckInodes(const std::vector<tree::Inode>& inodes);
std::string EncodeInodeTable(const std::vector<tree::Inode>& inodes);
// Writes the table, if there is one, to `path`, and tells the command of it.
Result<void> ShowInodes(const std::vector<tree::Inode>& inodes, const std::string& path,
                        std::vector<std::string>& env);

}  // namespace llama::worker
