#include "scan/directives_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/fixed_width.h"
#include "base/hash.h"

namespace llama::scan {
namespace {

constexpr std::string_view kMagic = "llama-scanned 1\n";
constexpr size_t kFileHeadBytes = 24;
// Of a record's head: the digest, the body's size, its hash, and the hash of all these.
constexpr size_t kSizeAt = 32;
constexpr size_t kBodyHashAt = 36;
constexpr size_t kHeadHashAt = 44;
constexpr size_t kHeadBytes = 52;
constexpr size_t kWindowBytes = 256 << 10;

std::string FileHead(uint64_t scanner) {
  std::string head(kMagic);
  PutFixed(head, scanner, 8);
  return head;
}

void Encode(std::string& out, uint64_t scanner, const DirectivesLog::Record& record) {
  const size_t begin = out.size();
  out.append(record.digest.view());
  PutFixed(out, record.body.size(), 4);
  PutFixed(out, Hash(record.body, scanner), 8);
  PutFixed(out, Hash(std::string_view(out).substr(begin), scanner), 8);
  out.append(record.body);
}

bool IsHead(std::string_view head, uint64_t scanner) {
  return GetFixed(head, kHeadHashAt, 8) == Hash(head.substr(0, kHeadHashAt), scanner) &&
         GetFixed(head, kSizeAt, 4) <= DirectivesLog::kMaxBodyBytes;
}

// As many of the `size` bytes as there are; fewer for an error.
std::string ReadAt(int fd, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n =
        pread(fd, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

// A file's heads one after the other, read by large pieces.
class HeadReader {
 public:
  explicit HeadReader(int fd) : fd_(fd) {}
  // Fewer than `size` bytes at the file's end. Valid until the next call.
  std::string_view At(uint64_t offset, size_t size) {
    if (offset < start_ || offset + size > start_ + window_.size()) {
      window_ = ReadAt(fd_, offset, kWindowBytes);
      start_ = offset;
    }
    return std::string_view(window_).substr(offset - start_, size);
  }

 private:
  int fd_;
  uint64_t start_ = 0;
  std::string window_;
};

}  // namespace

uint64_t DirectivesLog::RecordBytes(uint64_t body_bytes) { return kHeadBytes + body_bytes; }

Result<DirectivesLog::Opened> DirectivesLog::Open(const std::string& path, uint64_t scanner) {
  ASSIGN_OR_RETURN(Fd fd, OpenFile(path, O_RDWR | O_CREAT | O_APPEND, 0600));
  struct stat st {};
  if (fstat(fd.get(), &st) != 0) return ErrnoError(errno, path);
  if (!S_ISREG(st.st_mode)) return Error{Code::kInvalid, path + ": not a regular file"};
  const auto file_bytes = static_cast<uint64_t>(st.st_size);
  HeadReader heads(fd.get());
  std::vector<Placed> records;
  uint64_t at = 0;
  if (heads.At(0, kFileHeadBytes) == FileHead(scanner)) {
    at = kFileHeadBytes;
    for (;;) {
      const std::string_view head = heads.At(at, kHeadBytes);
      if (head.size() < kHeadBytes || !IsHead(head, scanner)) break;
      const uint64_t size = RecordBytes(GetFixed(head, kSizeAt, 4));
      if (size > file_bytes - at) break;
      records.push_back({*store::Digest::FromBytes(head.substr(0, kSizeAt)), {at, size}});
      at += size;
    }
  }
  if (at != file_bytes && ftruncate(fd.get(), static_cast<off_t>(at)) != 0) {
    return ErrnoError(errno, path);
  }
  return Opened{DirectivesLog(path, scanner, std::move(fd), at), std::move(records)};
}

Result<DirectivesLog::Opened> DirectivesLog::Write(const std::string& path, uint64_t scanner,
                                                   const std::vector<Record>& records) {
  std::string bytes = FileHead(scanner);
  for (const Record& record : records) Encode(bytes, scanner, record);
  TRY(WriteFileAtomic(path, bytes, 0600));
  return Open(path, scanner);
}

Result<std::vector<DirectivesLog::Placed>> DirectivesLog::Append(
    const std::vector<Record>& records) {
  std::string bytes = size_bytes_ == 0 ? FileHead(scanner_) : "";
  std::vector<Placed> placed;
  for (const Record& record : records) {
    placed.push_back(
        {record.digest, {size_bytes_ + bytes.size(), RecordBytes(record.body.size())}});
    Encode(bytes, scanner_, record);
  }
  if (Result<void> written = WriteAll(fd_.get(), bytes, path_); !written) {
    if (ftruncate(fd_.get(), static_cast<off_t>(size_bytes_)) != 0) return ErrnoError(errno, path_);
    return written.error();
  }
  size_bytes_ += bytes.size();
  return placed;
}

std::optional<std::string> DirectivesLog::Read(const store::Digest& digest,
                                               const Place& place) const {
  std::string bytes = ReadAt(fd_.get(), place.offset, place.size_bytes);
  if (bytes.size() < kHeadBytes || bytes.size() != place.size_bytes) return std::nullopt;
  const std::string_view head = std::string_view(bytes).substr(0, kHeadBytes);
  const std::string_view body = std::string_view(bytes).substr(kHeadBytes);
  if (!IsHead(head, scanner_) || !head.starts_with(digest.view()) ||
      GetFixed(head, kSizeAt, 4) != body.size() ||
      GetFixed(head, kBodyHashAt, 8) != Hash(body, scanner_)) {
    return std::nullopt;
  }
  bytes.erase(0, kHeadBytes);
  return bytes;
}

}  // namespace llama::scan
