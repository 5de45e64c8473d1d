#include "execute/standing.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace llama::execute {
namespace {

// Attributes that a new file would not have; labels of security modules are the kernel's to give.
bool HasAttributes(const std::string& path) {
  std::string names(4096, '\0');
  const ssize_t size = listxattr(path.c_str(), names.data(), names.size());
  if (size < 0) return errno == ERANGE;
  const std::string_view all(names.data(), static_cast<size_t>(size));
  for (size_t at = 0; at < all.size();) {
    const std::string_view name = all.substr(at, all.find('\0', at) - at);
    if (name.starts_with("user.") || name.starts_with("system.")) return true;
    at += name.size() + 1;
  }
  return false;
}

// Of a file that is made there.
gid_t NewGroup(const std::string& dir) {
  struct stat st {};
  const bool is_inherited = stat(dir.c_str(), &st) == 0 && (st.st_mode & S_ISGID) != 0;
  return is_inherited ? st.st_gid : getegid();
}

bool IsPeculiar(const std::string& path, const struct stat& st, const Outputs& outputs,
                ObjectWriter writer) {
  if (!S_ISREG(st.st_mode)) return true;
  const bool is_object = path == outputs.object;
  if (is_object && writer == ObjectWriter::kGnuAs && st.st_size > 0) return false;
  if ((st.st_mode & 0200) == 0 || access(path.c_str(), W_OK) != 0) return true;
  if (is_object && writer == ObjectWriter::kClang) return false;
  return st.st_nlink != 1 || st.st_uid != geteuid() ||
         st.st_gid != NewGroup(std::string(DirName(path))) ||
         (st.st_mode & 07777) != (0666 & ~outputs.umask) || HasAttributes(path);
}

}  // namespace

std::string FirstPeculiar(const Outputs& outputs, ObjectWriter writer,
                          const FileSystem& file_system) {
  const auto is_peculiar = [&](const std::string& path) {
    struct stat st {};
    return file_system.Lstat(path, st) == 0 && IsPeculiar(path, st, outputs, writer);
  };
  for (const Outputs::Announced& output : outputs.announced) {
    if (is_peculiar(output.local)) return output.local;
  }
  for (const std::string& dir : outputs.dirs) {
    for (const std::string& stem : outputs.stems) {
      for (const std::string& suffix : outputs.suffixes) {
        std::string path = JoinPath(dir, stem + suffix);
        if (is_peculiar(path)) return path;
      }
    }
  }
  return {};
}

}  // namespace llama::execute
