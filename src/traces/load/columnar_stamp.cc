#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/file.h"
#include "base/hash.h"
#include "traces/load/columnar_file.h"

namespace llama::traces {
namespace {

constexpr size_t kStampBytes = size_t{64} << 10;  // at either end

}  // namespace

Result<SourceStamp> StampOf(const std::string& path) {
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY));
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return ErrnoError(errno, path);
  SourceStamp stamp;
  stamp.size = static_cast<uint64_t>(status.st_size);
  stamp.mtime_ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  std::string bytes(kStampBytes, '\0');
  for (const bool tail : {false, true}) {
    const off_t at = tail ? std::max<off_t>(0, status.st_size - off_t{kStampBytes}) : 0;
    const ssize_t got = pread(fd.get(), bytes.data(), bytes.size(), at);
    if (got < 0) return ErrnoError(errno, path);
    stamp.hash = Hash({bytes.data(), static_cast<size_t>(got)}, stamp.hash);
  }
  return stamp;
}

}  // namespace llama::traces
