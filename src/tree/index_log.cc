#include "tree/index_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "base/codec.h"
#include "base/file.h"
#include "base/own_dir.h"
#include "store/digest.h"

namespace llama::tree {
namespace {

constexpr std::string_view kIndexMagic = "llamaix1";
constexpr uint64_t kMaxLogBytes = uint64_t{1} << 30;
constexpr size_t kChecksumBytes = 8;
enum RecordType : uint64_t { kHeld = 1, kForgotten = 2 };

std::string Head(const std::string& store_id) {
  Encoder head;
  head.Raw(kIndexMagic);
  head.Bytes(store_id);
  return head.Take();
}

std::string Checksum(std::string_view payload) {
  return std::string(store::Sha256(payload).view().substr(0, kChecksumBytes));
}

std::string Frame(const std::string& payload) {
  Encoder out;
  out.Bytes(payload);
  out.Raw(Checksum(payload));
  return out.Take();
}

std::optional<IndexRecord> DecodePayload(std::string_view payload) {
  Decoder in(payload);
  IndexRecord record;
  const uint64_t type = in.Uint();
  record.held = type == kHeld;
  record.layer.key = in.String();
  if (type == kHeld) {
    record.layer.size_bytes = in.Uint();
    const std::string_view encoded = in.Bytes();
    if (!in.ok()) return std::nullopt;
    Result<Manifest> manifest = DecodeManifest(encoded);
    if (!manifest) return std::nullopt;
    record.manifest = *std::move(manifest);
  }
  if (!in.Done() || (type != kHeld && type != kForgotten)) return std::nullopt;
  return record;
}

// The sound records at the beginning of `bytes`, and how many bytes they take.
uint64_t DecodeRecords(std::string_view bytes, std::vector<IndexRecord>& records) {
  uint64_t used = 0;
  while (used < bytes.size()) {
    Decoder in(bytes.substr(used));
    const std::string_view payload = in.Bytes();
    const std::string_view checksum = in.Raw(kChecksumBytes);
    if (!in.ok() || checksum != Checksum(payload)) break;
    std::optional<IndexRecord> record = DecodePayload(payload);
    if (!record) break;
    records.push_back(*std::move(record));
    used = static_cast<uint64_t>(checksum.data() + checksum.size() - bytes.data());
  }
  return used;
}

}  // namespace

std::string EncodeIndexRecord(const LayerRef& layer, const Manifest& manifest) {
  Encoder payload;
  payload.Uint(kHeld);
  payload.Bytes(layer.key);
  payload.Uint(layer.size_bytes);
  payload.Bytes(EncodeManifest(manifest));
  return Frame(payload.str());
}

std::string EncodeForgetRecord(const std::string& key) {
  Encoder payload;
  payload.Uint(kForgotten);
  payload.Bytes(key);
  return Frame(payload.str());
}

Result<std::pair<IndexLog, std::vector<IndexRecord>>> IndexLog::Open(const std::string& path,
                                                                     const std::string& store_id) {
  const std::string head = Head(store_id);
  ASSIGN_OR_RETURN(Fd fd, OpenOwnFile(path, O_RDWR | O_CREAT | O_APPEND, 0600));
  ASSIGN_OR_RETURN(const std::string bytes, ReadAll(fd.get(), kMaxLogBytes, path));
  std::vector<IndexRecord> records;
  uint64_t used = 0;
  if (bytes.starts_with(head)) {
    used = head.size() + DecodeRecords(std::string_view(bytes).substr(head.size()), records);
  } else if (!bytes.empty() && !head.starts_with(bytes)) {
    if (rename(path.c_str(), (path + ".old").c_str()) != 0) return ErrnoError(errno, path);
    ASSIGN_OR_RETURN(fd, OpenFile(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600));
  }
  if (ftruncate(fd.get(), static_cast<off_t>(used)) != 0) return ErrnoError(errno, path);
  if (used == 0) {
    TRY(WriteAll(fd.get(), head, path));
    used = head.size();
  }
  return std::pair(IndexLog(path, head, std::move(fd), used), std::move(records));
}

Result<void> IndexLog::Append(const std::string& record) {
  Result<void> written = WriteAll(fd_.get(), record, path_);
  if (written) {
    size_bytes_ += record.size();
  } else if (ftruncate(fd_.get(), static_cast<off_t>(size_bytes_)) != 0) {
    return ErrnoError(errno, path_);
  }
  return written;
}

Result<void> IndexLog::Rewrite(const std::vector<std::string>& records) {
  std::string bytes = head_;
  for (const std::string& record : records) bytes += record;
  TRY(WriteFileAtomic(path_, bytes, 0600));
  ASSIGN_OR_RETURN(fd_, OpenFile(path_, O_RDWR | O_APPEND));
  size_bytes_ = bytes.size();
  return {};
}

}  // namespace llama::tree
