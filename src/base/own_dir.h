// Folders and files of a program's own inside its state folder, which people delete, move, close
// and put other things in the place of.
#pragma once

#include <sys/stat.h>

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace llama {

// Makes `path` a folder that its owner can use: mkdir -p with mode 0700; one that is closed to its
// owner is opened; a file or a link that leads nowhere in its place goes, if it is this user's. A
// link to a folder stays: that is how people put a part of it onto another disk.
Result<void> MakeOwnDir(const std::string& path);

// OpenFile (base/file.h) for a file that the program can do without: one that is closed to its
// owner is opened, and what is no file goes from its place, if it is this user's.
Result<Fd> OpenOwnFile(const std::string& path, int flags, mode_t mode = 0600);

}  // namespace llama
