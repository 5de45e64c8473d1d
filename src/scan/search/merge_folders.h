// One search path out of a command's folders and the compiler's own: which of those that are the
// same folder stays, and what it is called.
//
// gcc and clang drop missing folders; here they stay in their places, since nothing is found in
// them and a build may make them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "compiler/toolchain.h"
#include "scan/search/search_options.h"

namespace llama::scan {

// A folder as it is now.
struct Folder {
  std::string path;
  bool is_there = false;
  bool is_file = false;  // something else is there
  int error = 0;         // errno of the look
  dev_t device = 0;
  ino_t inode = 0;

  bool IsSameAs(const Folder& other) const {
    return is_there && other.is_there && inode == other.inode && device == other.device;
  }
};

Folder LookAt(const FileSystem& files, std::string path);

struct MergedFolders {
  std::vector<std::string> quote, angle;
  bool angle_is_quote = false;  // as in SearchPath, both
  std::vector<std::string> left_out;
};

// `built_in` is absolute. kInvalid: something that is no folder, which clang may take for a header
// map; or that gcc fails for, since it is not simply missing (a loop of links, a file on the way).
Result<MergedFolders> MergeFolders(const FileSystem& files, const SearchOptions& options,
                                   const std::vector<std::string>& built_in,
                                   const compiler::Toolchain& toolchain, bool is_cxx);

}  // namespace llama::scan
