// The folders that a compiler searches by itself, as it tells them (`-E -v`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::scan {

struct BuiltInFolders {
  std::vector<std::string> folders;  // in order, as printed: may be relative
  // Folders that it left out, since they are missing or the same as another one: what it would say
  // after their coming or going is another list.
  std::vector<std::string> left_out;
  // Folders and files whose change makes it another list: where clang found its GCC installation,
  // specs and configuration files.
  std::vector<std::string> sources;
  std::vector<std::string> configuration;  // of `sources`: files that hold options
};

// Reads what `driver … -E -v` printed on stderr, in the C locale. kInvalid: no list, or one with
// something other than folders.
Result<BuiltInFolders> ParseVerbose(std::string_view text);

// Whether a specs or configuration file may add folders of its own: where they would stand among
// the user's is not known.
bool HasSearchOptions(std::string_view configuration);

}  // namespace llama::scan
