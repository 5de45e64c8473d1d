#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/file.h"
#include "emulator/s3/storage.h"

namespace llama::emulator {
namespace {

constexpr uint64_t kCopyBytes = 1 << 20;

}  // namespace

Result<Draft> Draft::Create(const std::string& path) {
  ASSIGN_OR_RETURN(Fd fd, OpenFile(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  return Draft(std::move(fd), path);
}

Draft::Draft(Draft&& other) noexcept : fd_(std::move(other.fd_)), path_(std::move(other.path_)) {
  other.path_.clear();
}

Draft::~Draft() {
  if (!path_.empty()) unlink(path_.c_str());
}

Result<void> Draft::Append(std::string_view bytes) { return WriteAll(fd_.get(), bytes, path_); }

Result<void> Draft::AppendFrom(int fd, uint64_t offset, uint64_t size) {
  std::string piece(static_cast<size_t>(std::min(size, kCopyBytes)), '\0');
  while (size > 0) {
    const size_t want = static_cast<size_t>(std::min<uint64_t>(size, piece.size()));
    const ssize_t n = pread(fd, piece.data(), want, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, path_);
    if (n == 0) return Error{Code::kInternal, path_ + ": what it is copied from is too short"};
    TRY(Append({piece.data(), static_cast<size_t>(n)}));
    offset += static_cast<uint64_t>(n);
    size -= static_cast<uint64_t>(n);
  }
  return {};
}

Result<void> Draft::MoveTo(const std::string& path) {
  if (rename(path_.c_str(), path.c_str()) != 0) return ErrnoError(errno, path);
  path_.clear();
  return {};
}

Result<std::string> OpenObject::Read(const ByteRange& range) const {
  std::string bytes(range.size, '\0');
  size_t used = 0;
  while (used < bytes.size()) {
    const ssize_t n = pread(file->get(), bytes.data() + used, bytes.size() - used,
                            static_cast<off_t>(range.offset + used));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrnoError(n < 0 ? errno : EIO, "an object's file");
    used += static_cast<size_t>(n);
  }
  return bytes;
}

}  // namespace llama::emulator
