#include "files/digest_cache.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/file_identity.h"
#include "base/log.h"
#include "base/mutex.h"
#include "files/digest_log.h"
#include "files/file_digester.h"

namespace llama::files {
namespace {

constexpr size_t kMaxRecords = 1'000'000;
// Below this many records a rewrite saves nothing worth having.
constexpr uint64_t kRewriteSlack = 4096;

struct FileIdHash {
  size_t operator()(const FileId& id) const {
    return id.inode * 0x9e3779b97f4a7c15 ^ (id.device << 32 | id.device >> 32);
  }
};

struct Known {
  DigestRecord record;
  uint64_t last_used = 0;  // position in the order of uses
};

bool Matches(const DigestRecord& record, const struct stat& st) {
  return record.size_bytes == static_cast<uint64_t>(st.st_size) &&
         record.mtime_ns == TimeNs(st.st_mtim) && record.ctime_ns == TimeNs(st.st_ctim);
}

}  // namespace

class DigestCache::Impl {
 public:
  explicit Impl(const Clock& clock) : clock_(clock) {}
  ~Impl() {
    if (const Result<void> flushed = Flush(); !flushed) {
      LOG(kWarning, "digest cache: " + flushed.error().message);
    }
  }

  Result<void> Load(const std::string& path) {
    ASSIGN_OR_RETURN(auto opened, DigestLog::Open(path));
    const MutexLock log_lock(log_mutex_);
    log_.emplace(std::move(opened.first));
    const MutexLock lock(mutex_);
    persistent_ = true;
    known_.reserve(opened.second.size());
    for (const DigestRecord& record : opened.second) known_[record.id] = {record, ++uses_};
    return {};
  }

  Result<FileDigest> Get(const std::string& path) {
    struct stat st {};
    if (stat(path.c_str(), &st) != 0) return ErrnoError(errno, path);
    return Get(path, st, nullptr);
  }

  Result<FileDigest> Get(const std::string& path, const struct stat& st,
                         std::optional<std::string>* text) {
    if (text != nullptr) text->reset();
    if (!S_ISREG(st.st_mode)) return Error{Code::kInvalid, path + ": not a regular file"};
    if (const std::optional<FileDigest> known = Find(st)) return *known;
    ASSIGN_OR_RETURN(const DigestedFile digested, DigestFile(path, clock_, text));
    if (IdentityOf(digested.st).IsSettled(digested.looked_ns)) Remember(digested);
    return digested.file;
  }

  Result<void> Flush() {
    const MutexLock log_lock(log_mutex_);
    if (!log_) return {};
    std::vector<DigestRecord> fresh;
    std::vector<DigestRecord> all;
    {
      const MutexLock lock(mutex_);
      fresh = std::exchange(unwritten_, {});
      const uint64_t in_file = log_->record_count() + fresh.size();
      if (shrunk_ || in_file > 2 * known_.size() + kRewriteSlack) all = InOrderOfUse();
      shrunk_ = false;
    }
    if (!all.empty()) return log_->Rewrite(all);
    return fresh.empty() ? Result<void>() : log_->Append(fresh);
  }

 private:
  std::optional<FileDigest> Find(const struct stat& st) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto it = known_.find(IdOf(st));
    if (it == known_.end() || !Matches(it->second.record, st)) return std::nullopt;
    it->second.last_used = ++uses_;
    const DigestRecord& record = it->second.record;
    return FileDigest{record.digest, record.size_bytes, (st.st_mode & 0111) != 0,
                      record.text_flags};
  }

  void Remember(const DigestedFile& digested) EXCLUDES(mutex_) {
    const DigestRecord record{IdOf(digested.st),           digested.file.size_bytes,
                              TimeNs(digested.st.st_mtim), TimeNs(digested.st.st_ctim),
                              digested.file.digest,        digested.file.text_flags};
    const MutexLock lock(mutex_);
    known_[record.id] = {record, ++uses_};
    if (persistent_) unwritten_.push_back(record);
    if (known_.size() > kMaxRecords) DropOldestHalf();
  }

  void DropOldestHalf() REQUIRES(mutex_) {
    std::vector<uint64_t> used;
    used.reserve(known_.size());
    for (const auto& [id, known] : known_) used.push_back(known.last_used);
    const auto middle = used.begin() + static_cast<ptrdiff_t>(used.size() / 2);
    std::nth_element(used.begin(), middle, used.end());
    std::erase_if(known_, [&](const auto& item) { return item.second.last_used < *middle; });
    shrunk_ = true;
  }

  std::vector<DigestRecord> InOrderOfUse() REQUIRES(mutex_) {
    std::vector<const Known*> sorted;
    for (const auto& [id, known] : known_) sorted.push_back(&known);
    std::sort(sorted.begin(), sorted.end(),
              [](const Known* a, const Known* b) { return a->last_used < b->last_used; });
    std::vector<DigestRecord> records;
    records.reserve(sorted.size());
    for (const Known* known : sorted) records.push_back(known->record);
    return records;
  }

  const Clock& clock_;

  // Taken before mutex_, and held while the file is written, which Get must not wait for.
  Mutex log_mutex_;
  std::optional<DigestLog> log_ GUARDED_BY(log_mutex_);

  Mutex mutex_;
  std::unordered_map<FileId, Known, FileIdHash> known_ GUARDED_BY(mutex_);
  std::vector<DigestRecord> unwritten_ GUARDED_BY(mutex_);
  uint64_t uses_ GUARDED_BY(mutex_) = 0;
  bool persistent_ GUARDED_BY(mutex_) = false;
  bool shrunk_ GUARDED_BY(mutex_) = false;
};

DigestCache::DigestCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DigestCache::~DigestCache() = default;

Result<FileDigest> DigestCache::Get(const std::string& path) { return impl_->Get(path); }
Result<FileDigest> DigestCache::Get(const std::string& path, const struct stat& st,
                                    std::optional<std::string>* text) {
  return impl_->Get(path, st, text);
}
Result<void> DigestCache::Flush() { return impl_->Flush(); }

Result<std::unique_ptr<DigestCache>> DigestCache::Open(const std::string& path,
                                                       const Clock& clock) {
  auto cache = std::make_unique<Impl>(clock);
  if (!path.empty()) TRY(cache->Load(path));
  return std::unique_ptr<DigestCache>(new DigestCache(std::move(cache)));
}

}  // namespace llama::files
