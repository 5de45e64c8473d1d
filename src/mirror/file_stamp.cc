#include "mirror/file_stamp.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"

namespace llama::mirror {
namespace {

int64_t Ns(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

bool FileStamp::LooksLike(const FileStamp& other) const {
  FileStamp same = other;
  same.ctime_ns = ctime_ns;
  return *this == same;
}

FileStamp StampOf(const struct stat& st) {
  return {st.st_dev, st.st_ino, st.st_mode, st.st_size, Ns(st.st_mtim), Ns(st.st_ctim)};
}

Result<FileClock> FileClock::Open(const std::string& dir) {
  const std::string path = dir + "/clock";
  TRY(RemoveTree(path));
  ASSIGN_OR_RETURN(Fd file, OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  if (unlink(path.c_str()) != 0) return ErrnoError(errno, path);
  FileClock clock(std::move(file));
  // Where the kernel has fine times (6.13 and later), it gives them to files that were looked at.
  TRY(clock.NowNs());
  return clock;
}

Result<int64_t> FileClock::NowNs() {
  struct stat st {};
  if (futimens(file_.get(), nullptr) != 0 || fstat(file_.get(), &st) != 0) {
    return ErrnoError(errno, "the mirror's clock");
  }
  return Ns(st.st_ctim);
}

}  // namespace llama::mirror
