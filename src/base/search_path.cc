#include "base/search_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace llama {

std::vector<std::string_view> SplitSearchPath(std::string_view path) {
  std::vector<std::string_view> dirs;
  while (true) {
    const size_t colon = path.find(':');
    dirs.push_back(path.substr(0, colon));
    if (colon == std::string_view::npos) return dirs;
    path.remove_prefix(colon + 1);
  }
}

bool IsProgram(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && access(path.c_str(), X_OK) == 0;
}

std::string FindProgram(std::string_view name, std::string_view path, std::string_view cwd) {
  for (const std::string_view dir : SplitSearchPath(path)) {
    std::string candidate = JoinPath(JoinPath(cwd, dir.empty() ? "." : dir), name);
    if (candidate.starts_with('/') && IsProgram(candidate)) return candidate;
  }
  return {};
}

}  // namespace llama
