#include <fcntl.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "emulator/request/s3_error.h"
#include "emulator/request/text.h"
#include "emulator/s3/checksum.h"
#include "emulator/s3/storage.h"
#include "signing/hash.h"

namespace llama::emulator {
namespace {

constexpr std::string_view kUploadFile = "upload";

Error NoUpload() {
  return S3Failure("NoSuchUpload", "The specified multipart upload does not exist");
}

std::string NewId() {
  std::string bytes(24, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                   static_cast<int>(bytes.size())) == 1);
  return signing::Hex(bytes);
}

// What a client calls an upload becomes a path.
bool IsId(std::string_view id) {
  return id.size() == 48 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string PartPath(const std::string& upload_dir, uint64_t number) {
  return upload_dir + "/" + std::to_string(number);
}

}  // namespace

Result<std::string> S3Storage::CreateUpload(const std::string& bucket, ObjectMeta meta) {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  std::string id = NewId();
  const std::string upload_dir = found->dir + "/uploads/" + id;
  meta.size = 0;
  meta.modified_ns = clock_.NowNs();
  TRY(MakeDirs(upload_dir, 0700));
  TRY(WriteFileAtomic(upload_dir + "/" + std::string(kUploadFile), EncodeTail(meta), 0600));
  return id;
}

Result<ObjectMeta> S3Storage::ReadUpload(const std::string& upload_dir) const {
  const std::string path = upload_dir + "/" + std::string(kUploadFile);
  const Result<Fd> fd = OpenFile(path, O_RDONLY);
  if (!fd && fd.error().code == Code::kNotFound) return NoUpload();
  if (!fd) return fd.error();
  return ReadTail(fd->get(), path);
}

Result<std::string> S3Storage::UploadDir(const std::string& bucket, const std::string& key,
                                         const std::string& id) const {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  if (!IsId(id)) return NoUpload();
  std::string upload_dir = found->dir + "/uploads/" + id;
  ASSIGN_OR_RETURN(const ObjectMeta meta, ReadUpload(upload_dir));
  if (meta.key != key) return NoUpload();
  return upload_dir;
}

Result<ObjectMeta> S3Storage::PutPart(const std::string& bucket, const std::string& key,
                                      const std::string& id, uint64_t number, ObjectMeta meta,
                                      std::string_view bytes) {
  ASSIGN_OR_RETURN(const std::string upload_dir, UploadDir(bucket, key, id));
  meta.key = key;
  meta.size = bytes.size();
  meta.modified_ns = clock_.NowNs();
  meta.etag = HexMd5(bytes);
  ASSIGN_OR_RETURN(Draft draft, NewDraft());
  TRY(draft.Append(bytes));
  TRY(draft.Append(EncodeTail(meta)));
  const Result<void> moved = draft.MoveTo(PartPath(upload_dir, number));
  // Aborted or completed meanwhile.
  if (!moved && moved.error().code == Code::kNotFound) return NoUpload();
  if (!moved) return moved.error();
  return meta;
}

Result<std::vector<Part>> S3Storage::Parts(const std::string& bucket, const std::string& key,
                                           const std::string& id) const {
  ASSIGN_OR_RETURN(const std::string upload_dir, UploadDir(bucket, key, id));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDir(upload_dir));
  std::vector<Part> parts;
  for (const std::string& name : names) {
    const std::optional<uint64_t> number = ParseUint(name);
    if (!number) continue;
    ASSIGN_OR_RETURN(const Fd fd, OpenFile(upload_dir + "/" + name, O_RDONLY));
    ASSIGN_OR_RETURN(ObjectMeta meta, ReadTail(fd.get(), upload_dir + "/" + name));
    parts.push_back({*number, std::move(meta)});
  }
  std::sort(parts.begin(), parts.end(),
            [](const Part& a, const Part& b) { return a.number < b.number; });
  return parts;
}

Result<std::vector<Upload>> S3Storage::Uploads(const std::string& bucket) const {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, ListDir(found->dir + "/uploads"));
  std::vector<Upload> uploads;
  for (const std::string& id : ids) {
    Result<ObjectMeta> meta = ReadUpload(found->dir + "/uploads/" + id);
    if (meta) uploads.push_back({id, std::move(*meta)});
  }
  std::sort(uploads.begin(), uploads.end(), [](const Upload& a, const Upload& b) {
    return std::tie(a.meta.key, a.id) < std::tie(b.meta.key, b.id);
  });
  return uploads;
}

Result<void> S3Storage::AbortUpload(const std::string& bucket, const std::string& key,
                                    const std::string& id) {
  ASSIGN_OR_RETURN(const std::string upload_dir, UploadDir(bucket, key, id));
  return RemoveTree(upload_dir);
}

Result<ObjectMeta> S3Storage::CompleteUpload(const std::string& bucket, const std::string& key,
                                             const std::string& id,
                                             const std::vector<uint64_t>& numbers,
                                             const std::string& etag,
                                             const WriteConditions& conditions) {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  ASSIGN_OR_RETURN(const std::string upload_dir, UploadDir(bucket, key, id));
  ASSIGN_OR_RETURN(ObjectMeta meta, ReadUpload(upload_dir));
  ASSIGN_OR_RETURN(Draft draft, NewDraft());
  for (const uint64_t number : numbers) {
    const std::string path = PartPath(upload_dir, number);
    ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY));
    ASSIGN_OR_RETURN(const ObjectMeta part, ReadTail(fd.get(), path));
    TRY(draft.AppendFrom(fd.get(), 0, part.size));
    meta.size += part.size;
  }
  meta.etag = etag;
  meta.modified_ns = clock_.NowNs();
  TRY(draft.Append(EncodeTail(meta)));
  ASSIGN_OR_RETURN(ObjectMeta placed, Place(*found, std::move(meta), std::move(draft), conditions));
  TRY(RemoveTree(upload_dir));
  return placed;
}

}  // namespace llama::emulator
