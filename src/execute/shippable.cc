#include "execute/shippable.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/file.h"
#include "tree/layer.h"

namespace llama::execute {
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

}  // namespace

bool IsSystemPath(const std::string& path) {
  if (GoesUp(path)) return false;
  return IsBelowAny(path, kSystemDirs) || IsBelowAny(path, kSettings) ||
         std::any_of(kSettingsPrefixes.begin(), kSettingsPrefixes.end(),
                     [&](std::string_view prefix) { return path.starts_with(prefix); });
}

void Shippable::AddFolder(const std::string& dir) {
  const auto real = file_system_.RealPath(dir);
  if (!real || *real == "/" || IsSystemPath(*real)) return;
  folders_.insert(*real);
}

// Nothing hidden below the folder: .git, .ssh, .env hold no header.
bool Shippable::IsOwn(const std::string& canonical) const {
  const auto holds = [&](const std::string& dir) {
    if (dir.empty() || IsSystemPath(dir)) return false;
    if (!tree::IsBelow(canonical, dir)) return false;
    const bool is_home = dir == home_ || (!home_.empty() && tree::IsBelow(home_, dir));
    if (is_home && DirName(canonical) != dir) return false;
    return canonical.find("/.", dir.size()) == canonical.npos;
  };
  return std::any_of(folders_.begin(), folders_.end(), holds) ||
         (shared_ && std::any_of(shared_->begin(), shared_->end(), holds));
}

std::string Shippable::WhyNot(const std::string& path) const {
  struct stat st {};
  const auto real = file_system_.RealPath(path);
  if (!real || file_system_.Stat(*real, st) != 0 || S_ISDIR(st.st_mode)) return {};
  if (!S_ISREG(st.st_mode)) return path + ": not a regular file";
  if (static_cast<uint64_t>(st.st_size) > kMaxFileBytes) return path + ": too large";
  const bool for_everybody = (st.st_mode & S_IROTH) != 0;
  if (IsSystemPath(*real)) {
    return for_everybody ? std::string() : path + ": not for everybody to read";
  }
  if (!IsOwn(*real)) return path + ": not below the command's own folders";
  if (st.st_uid != geteuid() && !for_everybody) return path + ": another user's";
  return {};
}

}  // namespace llama::execute
