#include "files/digest_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/file.h"
#include "base/fixed_width.h"
#include "base/own_dir.h"

namespace llama::files {
namespace {

constexpr std::string_view kMagic = "llama-digests 1\n";
constexpr size_t kRecordBytes = 88;
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

uint64_t Fnv1a(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

void Encode(std::string& out, const DigestRecord& record) {
  const size_t begin = out.size();
  PutFixed(out, record.id.device, 8);
  PutFixed(out, record.id.inode, 8);
  PutFixed(out, record.size_bytes, 8);
  PutFixed(out, static_cast<uint64_t>(record.mtime_ns), 8);
  PutFixed(out, static_cast<uint64_t>(record.ctime_ns), 8);
  out.append(record.digest.view());
  PutFixed(out, record.text_flags, 4);
  PutFixed(out, 0, 4);
  PutFixed(out, Fnv1a(std::string_view(out).substr(begin)), 8);
}

// False: the checksum is wrong.
bool Decode(std::string_view in, DigestRecord& record) {
  if (GetFixed(in, 80, 8) != Fnv1a(in.substr(0, 80))) return false;
  record.id = {GetFixed(in, 0, 8), GetFixed(in, 8, 8)};
  record.size_bytes = GetFixed(in, 16, 8);
  record.mtime_ns = static_cast<int64_t>(GetFixed(in, 24, 8));
  record.ctime_ns = static_cast<int64_t>(GetFixed(in, 32, 8));
  record.digest = *store::Digest::FromBytes(in.substr(40, 32));
  record.text_flags = static_cast<uint32_t>(GetFixed(in, 72, 4));
  return true;
}

std::string EncodeAll(const std::vector<DigestRecord>& records) {
  std::string out;
  out.reserve(kMagic.size() + records.size() * kRecordBytes);
  for (const DigestRecord& record : records) Encode(out, record);
  return out;
}

}  // namespace

Result<std::pair<DigestLog, std::vector<DigestRecord>>> DigestLog::Open(const std::string& path) {
  ASSIGN_OR_RETURN(Fd fd, OpenOwnFile(path, O_RDWR | O_CREAT | O_APPEND, 0600));
  ASSIGN_OR_RETURN(const std::string bytes, ReadAll(fd.get(), kMaxFileBytes, path));
  std::vector<DigestRecord> records;
  std::string_view rest = bytes;
  uint64_t size = bytes.size();
  if (rest.starts_with(kMagic)) {
    rest.remove_prefix(kMagic.size());
    records.reserve(rest.size() / kRecordBytes);
    for (; rest.size() >= kRecordBytes; rest.remove_prefix(kRecordBytes)) {
      DigestRecord record;
      if (Decode(rest.substr(0, kRecordBytes), record)) records.push_back(record);
    }
    size -= rest.size();
  } else {
    size = 0;
  }
  if (size != bytes.size() && ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return ErrnoError(errno, path);
  }
  if (size == 0) {
    TRY(WriteAll(fd.get(), kMagic, path));
    size = kMagic.size();
  }
  return std::pair(DigestLog(path, std::move(fd), size), std::move(records));
}

Result<void> DigestLog::Append(const std::vector<DigestRecord>& records) {
  const std::string bytes = EncodeAll(records);
  Result<void> written = WriteAll(fd_.get(), bytes, path_);
  if (written) {
    size_bytes_ += bytes.size();
  } else if (ftruncate(fd_.get(), static_cast<off_t>(size_bytes_)) != 0) {
    return ErrnoError(errno, path_);
  }
  return written;
}

Result<void> DigestLog::Rewrite(const std::vector<DigestRecord>& records) {
  const std::string bytes = std::string(kMagic) + EncodeAll(records);
  TRY(WriteFileAtomic(path_, bytes, 0600));
  ASSIGN_OR_RETURN(fd_, OpenFile(path_, O_RDWR | O_APPEND));
  size_bytes_ = bytes.size();
  return {};
}

uint64_t DigestLog::record_count() const { return (size_bytes_ - kMagic.size()) / kRecordBytes; }

}  // namespace llama::files
