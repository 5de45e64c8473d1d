// Where the S3 front keeps buckets and objects: files below one folder, and an index of every
// bucket in memory, made from them at the start.
//
//   tmp/                                 what is being written; emptied at the start
//   buckets/<bucket>/objects/<hh>/<hex>  an object; named by the SHA-256 of its key, since keys are
//                                        longer than names of files and hold any bytes
//   buckets/<bucket>/config/<kind>       encryption, lifecycle, … as they were put
//   buckets/<bucket>/uploads/<id>/       a multipart upload: "upload", and its parts by number
//
// Objects appear by rename, whole: a reader has the old or the new one. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mutex.h"
#include "base/result.h"
#include "emulator/s3/conditions.h"
#include "emulator/s3/object.h"

namespace llama::emulator {

// A file under way; gone unless it is moved into place.
class Draft {
 public:
  static Result<Draft> Create(const std::string& path);
  Draft(Draft&& other) noexcept;
  Draft& operator=(Draft&&) = delete;
  ~Draft();
  Result<void> Append(std::string_view bytes);
  // `size` bytes of another file, from `offset`.
  Result<void> AppendFrom(int fd, uint64_t offset, uint64_t size);
  Result<void> MoveTo(const std::string& path);

 private:
  Draft(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
};

struct OpenObject {
  ObjectMeta meta;
  std::shared_ptr<const Fd> file;

  // Within its size.
  Result<std::string> Read(const ByteRange& range) const;
};

struct Part {
  uint64_t number = 0;
  ObjectMeta meta;  // its key is the object's
};

struct Upload {
  std::string id;
  ObjectMeta meta;  // of the object to be
};

class S3Storage {
 public:
  // kInvalid: the folder holds something else.
  static Result<std::unique_ptr<S3Storage>> Open(const std::string& dir, const Clock& clock);

  // False: it was there already.
  Result<bool> CreateBucket(const std::string& bucket);
  Result<void> DeleteBucket(const std::string& bucket);  // BucketNotEmpty
  Result<void> CheckBucket(const std::string& bucket) const;
  struct BucketEntry {
    std::string name;
    int64_t created_ns;
  };
  std::vector<BucketEntry> Buckets() const;
  Result<void> PutConfig(const std::string& bucket, const std::string& kind, std::string_view text);
  Result<std::optional<std::string>> GetConfig(const std::string& bucket,
                                               const std::string& kind) const;
  Result<void> DeleteConfig(const std::string& bucket, const std::string& kind);

  // `meta` needs no size and time; an etag only if it is not the MD5 of `bytes`.
  Result<ObjectMeta> Put(const std::string& bucket, ObjectMeta meta, std::string_view bytes,
                         const WriteConditions& conditions);
  Result<OpenObject> Get(const std::string& bucket, const std::string& key) const;
  Result<void> Delete(const std::string& bucket, const std::string& key);  // a missing one: fine
  Result<ListPage> List(const std::string& bucket, const ListQuery& query) const;

  Result<std::string> CreateUpload(const std::string& bucket, ObjectMeta meta);
  Result<ObjectMeta> PutPart(const std::string& bucket, const std::string& key,
                             const std::string& id, uint64_t number, ObjectMeta meta,
                             std::string_view bytes);
  // In order of their numbers.
  Result<std::vector<Part>> Parts(const std::string& bucket, const std::string& key,
                                  const std::string& id) const;
  Result<std::vector<Upload>> Uploads(const std::string& bucket) const;
  Result<void> AbortUpload(const std::string& bucket, const std::string& key,
                           const std::string& id);
  // Joins those parts to an object with that etag, and ends the upload.
  Result<ObjectMeta> CompleteUpload(const std::string& bucket, const std::string& key,
                                    const std::string& id, const std::vector<uint64_t>& numbers,
                                    const std::string& etag, const WriteConditions& conditions);

 private:
  struct Bucket {
    std::string dir;
    int64_t created_ns = 0;
    Mutex mutex;
    bool deleted GUARDED_BY(mutex) = false;
    ObjectIndex index GUARDED_BY(mutex);
  };
  S3Storage(std::string dir, const Clock& clock) : dir_(std::move(dir)), clock_(clock) {}
  Result<void> Load();
  Result<void> LoadBucket(const std::string& name);
  Result<std::shared_ptr<Bucket>> Find(const std::string& bucket) const;
  Result<Draft> NewDraft();
  Result<ObjectMeta> Place(Bucket& bucket, ObjectMeta meta, Draft draft,
                           const WriteConditions& conditions);
  // NoSuchUpload if it is not one of that key.
  Result<std::string> UploadDir(const std::string& bucket, const std::string& key,
                                const std::string& id) const;
  Result<ObjectMeta> ReadUpload(const std::string& upload_dir) const;

  const std::string dir_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<Bucket>> buckets_ GUARDED_BY(mutex_);
  uint64_t next_draft_ GUARDED_BY(mutex_) = 0;
};

}  // namespace llama::emulator
