// Files and folders: whole-file reads and writes, and the few operations that the rest needs. Every
// error names the path.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace llama {

// open(2) with O_CLOEXEC added.
Result<Fd> OpenFile(const std::string& path, int flags, mode_t mode = 0666);

// The whole of a regular file. `max_bytes` bounds what an unexpected file can cost: kInvalid
// beyond.
Result<std::string> ReadFile(const std::string& path, uint64_t max_bytes = uint64_t{4} << 30);
Result<std::string> ReadAll(int fd, uint64_t max_bytes, std::string_view name);

// Writes all of `bytes`, however many write(2) calls that takes.
Result<void> WriteAll(int fd, std::string_view bytes, std::string_view name);

// Replaces `path` by a file with these bytes and mode (umask does not apply) so that a reader sees
// the old or the new, whole. Nothing is left behind on failure (base/staged_file.h).
Result<void> WriteFileAtomic(const std::string& path, std::string_view bytes, mode_t mode);

// mkdir -p; the last folder gets `mode`, those above it 0777 & ~umask.
Result<void> MakeDirs(const std::string& path, mode_t mode = 0755);

// rm -rf that does not follow symbolic links; a missing path is no error.
Result<void> RemoveTree(const std::string& path);

// Names in a folder, sorted, without . and .. .
Result<std::vector<std::string>> ListDir(const std::string& path);

Result<std::string> ReadLink(const std::string& path);
Result<std::string> RealPath(const std::string& path);
// Following symlinks.
bool IsDirectory(const std::string& path);
// Below /dev or /proc: it may be another file to another process (/dev/fd/3), or used up by
// reading.
bool IsDeviceOrProcess(std::string_view path);
bool IsRegularFile(const std::string& path);
// The folder of the running executable, from /proc/self/exe.
Result<std::string> ExecutableDir();

// Lexical: "a/b" of ("a", "b"); `name` itself if it is absolute.
std::string JoinPath(std::string_view dir, std::string_view name);
// Whether an absolute path has a ".." in it.
inline bool GoesUp(std::string_view path) {
  return path.find("/../") != path.npos || path.ends_with("/..");
}
// Lexical parent ("." if there is no slash, "/" for the root's children) and last component.
std::string_view DirName(std::string_view path);
std::string_view BaseName(std::string_view path);

// A folder below $TMPDIR or /tmp, removed with all it holds when this goes out of scope. Its name
// says who made it (prefix, boot and namespace, process id), so that the next one that is made with
// the same prefix removes those whose process was killed.
class TempDir {
 public:
  static Result<TempDir> Create(std::string_view prefix = "llama");
  TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();
  const std::string& path() const { return path_; }

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace llama
