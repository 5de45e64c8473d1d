#include "llama/build/masquerade.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/file.h"
#include "base/own_dir.h"
#include "client/invocation.h"

namespace llama::app {
namespace {

bool IsExecutable(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && access(path.c_str(), X_OK) == 0;
}

Result<void> ReplaceLink(const std::string& path, const std::string& target) {
  const std::string temp = path + ".new-" + std::to_string(getpid());
  unlink(temp.c_str());
  if (symlink(target.c_str(), temp.c_str()) != 0) return ErrnoError(errno, temp);
  if (rename(temp.c_str(), path.c_str()) != 0) {
    const Error error = ErrnoError(errno, path);
    unlink(temp.c_str());
    return error;
  }
  return {};
}

}  // namespace

std::vector<std::string> CompilersInPath(std::string_view path, const std::string& except) {
  std::set<std::string> names;
  for (const std::string_view dir : client::SplitPath(path)) {
    // An empty element is the working directory, whose compilers are the build's own products.
    if (dir.empty() || dir == except) continue;
    const auto entries = ListDir(std::string(dir));
    if (!entries) continue;
    for (const std::string& name : *entries) {
      if (client::LooksLikeCompiler(name) && IsExecutable(JoinPath(dir, name))) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

Result<void> UpdateMasquerade(const std::string& dir, const std::string& wrapper,
                              const std::vector<std::string>& names) {
  TRY(MakeOwnDir(dir));
  ASSIGN_OR_RETURN(const std::vector<std::string> present, ListDir(dir));
  for (const std::string& name : present) {
    if (!std::binary_search(names.begin(), names.end(), name) && client::LooksLikeCompiler(name)) {
      unlink(JoinPath(dir, name).c_str());
    }
  }
  for (const std::string& name : names) {
    const std::string path = JoinPath(dir, name);
    const auto target = ReadLink(path);
    if (target && *target == wrapper) continue;
    TRY(ReplaceLink(path, wrapper));
  }
  return {};
}

std::string PathWithFirst(const std::string& dir, std::string_view path) {
  std::string out = dir;
  for (const std::string_view other : client::SplitPath(path)) {
    if (other != dir) out.append(":").append(other);
  }
  return out;
}

}  // namespace llama::app
