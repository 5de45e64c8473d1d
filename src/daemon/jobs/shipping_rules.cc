#include "daemon/jobs/shipping_rules.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/file.h"
#include "tree/layer.h"

namespace llama::daemon {
namespace {

constexpr auto kSystemDirs = std::to_array<std::string_view>(
    {"/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/opt"});
// Of /etc only what says where programs and their libraries are and how they are set up.
constexpr auto kSettings = std::to_array<std::string_view>(
    {"/etc/alternatives", "/etc/perl", "/etc/fonts", "/etc/mime.types", "/etc/magic",
     "/etc/localtime", "/etc/ssl/openssl.cnf"});
constexpr auto kSettingsPrefixes =
    std::to_array<std::string_view>({"/etc/ld.so.", "/etc/python", "/etc/ImageMagick-"});

bool IsAtOrBelow(std::string_view path, std::string_view dir) {
  return path == dir || tree::IsBelow(path, dir);
}

template <size_t N>
bool IsBelowAny(std::string_view path, const std::array<std::string_view, N>& dirs) {
  return std::any_of(dirs.begin(), dirs.end(),
                     [&](std::string_view dir) { return IsAtOrBelow(path, dir); });
}

bool IsSystem(std::string_view path) {
  return IsBelowAny(path, kSystemDirs) || IsBelowAny(path, kSettings) ||
         std::any_of(kSettingsPrefixes.begin(), kSettingsPrefixes.end(),
                     [&](std::string_view prefix) { return path.starts_with(prefix); });
}

bool HasDots(std::string_view path) {
  return path.find("/../") != path.npos || path.ends_with("/..");
}

}  // namespace

bool IsSystemPath(const std::string& path) { return IsSystem(path) && !HasDots(path); }

void ShippingRules::AddDir(const std::string& dir) {
  if (dir.empty() || dir == "/" || dir == "." || dir == home_ || IsSystem(dir)) return;
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
  if (IsInSearchPath(path) && !HasDots(path)) return true;
  // What the path leads to decides; the way there gives away no more than names.
  if (IsSystem(*real)) return (st.st_mode & 0004) != 0;
  return IsOwn(*real);
}

}  // namespace llama::daemon
