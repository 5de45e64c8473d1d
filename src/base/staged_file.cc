#include "base/staged_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/file.h"

namespace llama {
namespace {

// Tries of names that another process may have taken.
constexpr int kMaxNames = 16;

// A name beside the target that no other process or thread uses.
std::string TemporaryName(const std::string& path) {
  static std::atomic<unsigned> count = 0;
  return path + ".llama-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

Result<std::pair<std::string, Fd>> Open(const std::string& path) {
  const std::string dir(DirName(path));
  const int raw = ::open(dir.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (raw >= 0) return std::pair(std::string(), Fd(raw));
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return ErrnoError(errno, path);
  for (int attempt = 0;; ++attempt) {
    std::string temp = TemporaryName(path);
    const int fd = ::open(temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) return std::pair(std::move(temp), Fd(fd));
    if (errno != EEXIST || attempt >= kMaxNames) return ErrnoError(errno, path);
  }
}

}  // namespace

Result<StagedFile> StagedFile::Write(const std::string& path, std::string_view bytes, mode_t mode) {
  ASSIGN_OR_RETURN(auto opened, Open(path));
  StagedFile file(path, std::move(opened.first), std::move(opened.second));
  TRY(WriteAll(file.fd_.get(), bytes, path));
  if (fchmod(file.fd_.get(), mode) != 0) return ErrnoError(errno, "chmod " + path);
  return file;
}

StagedFile::StagedFile(StagedFile&& other) noexcept
    : path_(std::move(other.path_)),
      temp_(std::exchange(other.temp_, {})),
      fd_(std::move(other.fd_)) {}

StagedFile::~StagedFile() {
  if (!temp_.empty()) unlink(temp_.c_str());
}

Result<int64_t> StagedFile::ModifiedNs() const {
  struct stat st {};
  if (fstat(fd_.get(), &st) != 0) return ErrnoError(errno, path_);
  return int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec;
}

Result<void> StagedFile::SetModifiedNs(int64_t time_ns) {
  const timespec time{time_ns / 1'000'000'000, time_ns % 1'000'000'000};
  const timespec times[] = {time, time};
  if (futimens(fd_.get(), times) != 0) return ErrnoError(errno, path_);
  return {};
}

int StagedFile::Link(const std::string& name) {
  const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
  // Without /proc (in a bare root) the descriptor itself is named; that asks for a privilege.
  if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0 ||
      linkat(fd_.get(), "", AT_FDCWD, name.c_str(), AT_EMPTY_PATH) == 0) {
    return 0;
  }
  return errno;
}

Result<void> StagedFile::Commit(Replace how) {
  if (temp_.empty()) {
    if (how == Replace::kUnflushed && Link(path_) == 0) return Done();
    for (int attempt = 0; temp_.empty(); ++attempt) {
      std::string temp = TemporaryName(path_);
      const int failed = Link(temp);
      if (failed == 0) {
        temp_ = std::move(temp);
      } else if (failed != EEXIST || attempt >= kMaxNames) {
        return ErrnoError(failed, path_);
      }
    }
  }
  // What stood there is removed under the other name. A folder can't be, and goes back.
  if (how == Replace::kUnflushed &&
      renameat2(AT_FDCWD, temp_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) == 0) {
    if (unlink(temp_.c_str()) == 0) return Done();
    const int failed = errno;
    (void)renameat2(AT_FDCWD, temp_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE);
    return ErrnoError(failed, path_);
  }
  if (rename(temp_.c_str(), path_.c_str()) != 0) return ErrnoError(errno, path_);
  return Done();
}

Result<void> StagedFile::Done() {
  temp_.clear();
  fd_ = Fd();
  return {};
}

}  // namespace llama
