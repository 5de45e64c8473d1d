#include "daemon/jobs/shipping_rules.h"

#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "base/file.h"
#include "execute/shippable.h"
#include "tree/layer.h"

namespace llama::daemon {
namespace {

bool IsAtOrBelow(std::string_view path, std::string_view dir) {
  return path == dir || tree::IsBelow(path, dir);
}

// Of a file that nobody named.
constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;

}  // namespace

void ShippingRules::AddDir(const std::string& dir) {
  if (dir.empty() || dir == "/" || dir == "." || dir == home_ || execute::IsSystemPath(dir)) return;
  own_dirs_.insert(dir);
}

void ShippingRules::AddProgram(const std::string& path) {
  const auto real = RealPath(path);
  for (const std::string& spelling : {path, real ? *real : path}) {
    const std::string dir(DirName(spelling));
    AddDir(dir);
    const std::string_view name = BaseName(dir);
    if (name != "bin" && name != "sbin" && name != "libexec") continue;
    const std::string prefix(DirName(dir));
    for (const char* beside : {"bin", "sbin", "lib", "lib64", "libexec"}) {
      AddDir(JoinPath(prefix, beside));
    }
  }
}

bool ShippingRules::IsOwn(const std::string& path) const {
  return std::any_of(own_dirs_.begin(), own_dirs_.end(), [&](const std::string& dir) {
    return IsAtOrBelow(path, dir) && path.find("/.", dir.size()) == path.npos;
  });
}

bool ShippingRules::IsInSearchPath(const std::string& path) const {
  struct stat st {};
  const std::string_view dir = DirName(path);
  return std::find(search_path_.begin(), search_path_.end(), dir) != search_path_.end() &&
         stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0;
}

bool ShippingRules::Allow(const std::string& path) const {
  const auto real = RealPath(path);
  struct stat st {};
  if (!real || stat(real->c_str(), &st) != 0) return false;
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return false;
  if (S_ISREG(st.st_mode) && static_cast<uint64_t>(st.st_size) > kMaxFileBytes) return false;
  if (IsInSearchPath(path) && !GoesUp(path)) return true;
  // What the path leads to decides; the way there gives away no more than names.
  if (execute::IsSystemPath(*real)) return (st.st_mode & 0004) != 0;
  return IsOwn(*real);
}

}  // namespace llama::daemon
