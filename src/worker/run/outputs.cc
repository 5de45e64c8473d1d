#include "worker/run/outputs.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "base/file.h"

namespace llama::worker {
namespace {

struct DirCloser {
  void operator()(DIR* dir) const { closedir(dir); }
};

// Calls `each` with every regular file of `dir`; `fd` is the directory's.
using EachFile = std::function<Result<void>(int fd, const char* name, const struct stat& st)>;
Result<void> ForEachFile(const std::string& dir, const EachFile& each) {
  ASSIGN_OR_RETURN(Fd fd, OpenFile(dir, O_RDONLY | O_DIRECTORY));
  DIR* handle = fdopendir(fd.get());
  if (handle == nullptr) return ErrnoError(errno, dir);
  (void)fd.Release();
  const std::unique_ptr<DIR, DirCloser> closer(handle);
  while (const dirent* entry = readdir(handle)) {
    struct stat st {};
    if (fstatat(dirfd(handle), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(st.st_mode)) TRY(each(dirfd(handle), entry->d_name, st));
  }
  return {};
}

Result<std::string> ReadOutput(int dir, const char* name, const struct stat& st,
                               const std::string& path, uint64_t max_bytes) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  Fd fd(openat(dir, name, kFlags));
  // With a umask that takes the owner's right to read, the command's own files are closed to us.
  if (!fd.valid() && errno == EACCES && fchmodat(dir, name, (st.st_mode & 07777) | 0400, 0) == 0) {
    fd = Fd(openat(dir, name, kFlags));
  }
  if (!fd.valid()) return ErrnoError(errno, path);
  return ReadAll(fd.get(), max_bytes, path);
}

}  // namespace

FileStamp StampOf(const struct stat& st) {
  return {st.st_dev, st.st_ino, st.st_size,
          int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec};
}

OutputWatch::OutputWatch(std::string root, std::vector<std::string> dirs)
    : root_(std::move(root)), dirs_(std::move(dirs)) {
  std::sort(dirs_.begin(), dirs_.end());
  dirs_.erase(std::unique(dirs_.begin(), dirs_.end()), dirs_.end());
}

Result<void> OutputWatch::Place(const std::string& path, mode_t mode) {
  const std::string full = root_ + path;
  const Fd fd(open(full.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno == EEXIST ? Result<void>() : ErrnoError(errno, full);
  TRY(WriteAll(fd.get(), "\n", full));
  // A file system's clock ticks every few milliseconds: a quick command could write within the
  // tick of the creation.
  const timespec long_ago[2] = {{1, 0}, {1, 0}};
  if (fchmod(fd.get(), mode) != 0 || futimens(fd.get(), long_ago) != 0) {
    return ErrnoError(errno, full);
  }
  return {};
}

Result<void> OutputWatch::Begin() {
  before_.clear();
  for (const std::string& dir : dirs_) {
    TRY(ForEachFile(root_ + dir, [&](int, const char* name, const struct stat& st) -> Result<void> {
      before_.emplace(JoinPath(dir, name), StampOf(st));
      return {};
    }));
  }
  return {};
}

Result<std::vector<job::OutputFile>> OutputWatch::Collect(uint64_t max_bytes) const {
  std::vector<job::OutputFile> outputs;
  uint64_t left = max_bytes;
  for (const std::string& dir : dirs_) {
    const auto take = [&](int fd, const char* name, const struct stat& st) -> Result<void> {
      job::OutputFile file;
      file.path = JoinPath(dir, name);
      const auto old = before_.find(file.path);
      if (old != before_.end() && old->second == StampOf(st)) return {};
      const uint64_t size = static_cast<uint64_t>(st.st_size) + file.path.size();
      if (size > left) {
        return Error{Code::kInvalid, "answer too large: " + file.path + " does not fit into " +
                                         std::to_string(max_bytes) + " bytes"};
      }
      file.mode = st.st_mode & 07777;
      ASSIGN_OR_RETURN(file.bytes, ReadOutput(fd, name, st, file.path, left));
      left -= std::min<uint64_t>(left, file.bytes.size() + file.path.size());
      outputs.push_back(std::move(file));
      return {};
    };
    // A command may remove a directory that was its own.
    Result<void> taken = ForEachFile(root_ + dir, take);
    if (!taken && taken.error().code != Code::kNotFound) return std::move(taken).error();
  }
  std::sort(outputs.begin(), outputs.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return outputs;
}

// By folder as the kernel knows it: names may lead through links.
std::vector<std::string> OutputWatch::Strays(const std::vector<std::string>& written) const {
  const auto folder_of = [&](const std::string& dir) {
    struct stat st {};
    if (stat((root_ + dir).c_str(), &st) != 0) return std::pair<dev_t, ino_t>();
    return std::pair(st.st_dev, st.st_ino);
  };
  std::set<std::pair<dev_t, ino_t>> watched;
  for (const std::string& dir : dirs_) watched.insert(folder_of(dir));
  std::vector<std::string> strays;
  for (const std::string& path : written) {
    const auto folder = folder_of(std::string(DirName(path)));
    if (watched.contains(folder)) continue;
    struct stat st {};
    if (folder == std::pair<dev_t, ino_t>() || lstat((root_ + path).c_str(), &st) == 0) {
      strays.push_back(path);
    }
  }
  return strays;
}

std::vector<std::string> OutputWatch::Gone(const std::vector<std::string>& paths) const {
  std::vector<std::string> gone;
  for (const std::string& path : paths) {
    struct stat st {};
    if (lstat((root_ + path).c_str(), &st) != 0) gone.push_back(path);
  }
  return gone;
}

}  // namespace llama::worker
