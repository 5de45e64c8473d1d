#include "emulator/s3/storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/log.h"
#include "emulator/request/s3_error.h"
#include "emulator/s3/checksum.h"
#include "signing/sigv4.h"

namespace llama::emulator {
namespace {

// S3's own clock has whole seconds in headers and milliseconds in lists; the index keeps all.
std::string ObjectPath(const std::string& bucket_dir, const std::string& key) {
  const std::string name = signing::Sha256Hex(key);
  return bucket_dir + "/objects/" + name.substr(0, 2) + "/" + name;
}

Error NoBucket() { return S3Failure("NoSuchBucket", "The specified bucket does not exist"); }
Error NoKey() { return S3Failure("NoSuchKey", "The specified key does not exist."); }

}  // namespace

Result<std::unique_ptr<S3Storage>> S3Storage::Open(const std::string& dir, const Clock& clock) {
  std::unique_ptr<S3Storage> storage(new S3Storage(dir, clock));
  TRY(storage->Load());
  return storage;
}

Result<void> S3Storage::Load() {
  TRY(RemoveTree(dir_ + "/tmp"));
  TRY(MakeDirs(dir_ + "/tmp", 0700));
  TRY(MakeDirs(dir_ + "/buckets", 0700));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDir(dir_ + "/buckets"));
  for (const std::string& name : names) TRY(LoadBucket(name));
  return {};
}

Result<void> S3Storage::LoadBucket(const std::string& name) {
  auto bucket = std::make_shared<Bucket>();
  bucket->dir = dir_ + "/buckets/" + name;
  struct stat st {};
  if (stat((bucket->dir + "/objects").c_str(), &st) != 0) {
    return Error{Code::kInvalid, bucket->dir + ": not a bucket of the emulator's"};
  }
  bucket->created_ns = int64_t{st.st_mtim.tv_sec} * 1'000'000'000;
  {
    const MutexLock lock(bucket->mutex);
    ASSIGN_OR_RETURN(const std::vector<std::string> folders, ListDir(bucket->dir + "/objects"));
    for (const std::string& folder : folders) {
      const std::string path = bucket->dir + "/objects/" + folder;
      ASSIGN_OR_RETURN(const std::vector<std::string> files, ListDir(path));
      for (const std::string& file : files) {
        ASSIGN_OR_RETURN(const Fd fd, OpenFile(path + "/" + file, O_RDONLY));
        Result<ObjectMeta> meta = ReadTail(fd.get(), path + "/" + file);
        if (!meta) {
          LOG(kWarning, meta.error().message + "; it is left out");
          continue;
        }
        std::string key = meta->key;
        bucket->index.insert_or_assign(std::move(key), std::move(*meta));
      }
    }
  }
  const MutexLock lock(mutex_);
  buckets_[name] = std::move(bucket);
  return {};
}

Result<std::shared_ptr<S3Storage::Bucket>> S3Storage::Find(const std::string& bucket) const {
  const MutexLock lock(mutex_);
  const auto found = buckets_.find(bucket);
  if (found == buckets_.end()) return NoBucket();
  return found->second;
}

Result<bool> S3Storage::CreateBucket(const std::string& bucket) {
  const MutexLock lock(mutex_);
  if (buckets_.contains(bucket)) return false;
  auto made = std::make_shared<Bucket>();
  made->dir = dir_ + "/buckets/" + bucket;
  made->created_ns = clock_.NowNs();
  for (const char* folder : {"/config", "/uploads", "/objects"}) {
    TRY(MakeDirs(made->dir + folder, 0700));
  }
  buckets_[bucket] = std::move(made);
  return true;
}

Result<void> S3Storage::DeleteBucket(const std::string& bucket) {
  const MutexLock lock(mutex_);
  const auto found = buckets_.find(bucket);
  if (found == buckets_.end()) return NoBucket();
  {
    const MutexLock bucket_lock(found->second->mutex);
    if (!found->second->index.empty()) {
      return S3Failure("BucketNotEmpty", "The bucket you tried to delete is not empty");
    }
    found->second->deleted = true;
  }
  TRY(RemoveTree(found->second->dir));
  buckets_.erase(found);
  return {};
}

Result<void> S3Storage::CheckBucket(const std::string& bucket) const {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  return {};
}

std::vector<S3Storage::BucketEntry> S3Storage::Buckets() const {
  const MutexLock lock(mutex_);
  std::vector<BucketEntry> entries;
  for (const auto& [name, bucket] : buckets_) entries.push_back({name, bucket->created_ns});
  return entries;
}

Result<void> S3Storage::PutConfig(const std::string& bucket, const std::string& kind,
                                  std::string_view text) {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  return WriteFileAtomic(found->dir + "/config/" + kind, text, 0600);
}

Result<std::optional<std::string>> S3Storage::GetConfig(const std::string& bucket,
                                                        const std::string& kind) const {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  Result<std::string> text = ReadFile(found->dir + "/config/" + kind);
  if (text) return std::optional(std::move(*text));
  if (text.error().code == Code::kNotFound) return std::optional<std::string>();
  return text.error();
}

Result<void> S3Storage::DeleteConfig(const std::string& bucket, const std::string& kind) {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  const std::string path = found->dir + "/config/" + kind;
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError(errno, path);
  return {};
}

Result<Draft> S3Storage::NewDraft() {
  uint64_t number = 0;
  {
    const MutexLock lock(mutex_);
    number = next_draft_++;
  }
  return Draft::Create(dir_ + "/tmp/" + std::to_string(number));
}

Result<ObjectMeta> S3Storage::Put(const std::string& bucket, ObjectMeta meta,
                                  std::string_view bytes, const WriteConditions& conditions) {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  meta.size = bytes.size();
  meta.modified_ns = clock_.NowNs();
  if (meta.etag.empty()) meta.etag = HexMd5(bytes);
  ASSIGN_OR_RETURN(Draft draft, NewDraft());
  TRY(draft.Append(bytes));
  TRY(draft.Append(EncodeTail(meta)));
  return Place(*found, std::move(meta), std::move(draft), conditions);
}

Result<ObjectMeta> S3Storage::Place(Bucket& bucket, ObjectMeta meta, Draft draft,
                                    const WriteConditions& conditions) {
  const MutexLock lock(bucket.mutex);
  if (bucket.deleted) return NoBucket();
  const auto old = bucket.index.find(meta.key);
  const bool exists = old != bucket.index.end();
  TRY(CheckWriteConditions(conditions, exists ? std::optional(old->second.etag) : std::nullopt));
  const std::string path = ObjectPath(bucket.dir, meta.key);
  if (Result<void> moved = draft.MoveTo(path); !moved) {
    // The first object of its folder.
    if (moved.error().code != Code::kNotFound) return moved.error();
    TRY(MakeDirs(std::string(DirName(path)), 0700));
    TRY(draft.MoveTo(path));
  }
  bucket.index.insert_or_assign(meta.key, meta);
  return meta;
}

Result<OpenObject> S3Storage::Get(const std::string& bucket, const std::string& key) const {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  // Opened under the lock: the file is the one that the index means.
  const MutexLock lock(found->mutex);
  const auto at = found->index.find(key);
  if (at == found->index.end()) return NoKey();
  ASSIGN_OR_RETURN(Fd fd, OpenFile(ObjectPath(found->dir, key), O_RDONLY));
  return OpenObject{at->second, std::make_shared<const Fd>(std::move(fd))};
}

Result<void> S3Storage::Delete(const std::string& bucket, const std::string& key) {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  const MutexLock lock(found->mutex);
  if (found->index.erase(key) == 0) return {};
  const std::string path = ObjectPath(found->dir, key);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError(errno, path);
  return {};
}

Result<ListPage> S3Storage::List(const std::string& bucket, const ListQuery& query) const {
  ASSIGN_OR_RETURN(const auto found, Find(bucket));
  const MutexLock lock(found->mutex);
  return ListKeys(found->index, query);
}

}  // namespace llama::emulator
