#include "store/object_store.h"

#include <map>
#include <utility>

#include "base/mutex.h"

namespace llama::store {
namespace {

// S3's own limit for a key; a part must leave room in a file name for the folder store's mark.
constexpr size_t kMaxKeyBytes = 1024;
constexpr size_t kMaxPartBytes = 250;

bool IsKeyByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '_' || c == '-';
}

bool IsValidPart(std::string_view part) {
  if (part.empty() || part == "." || part == ".." || part.size() > kMaxPartBytes) return false;
  for (const char c : part) {
    if (!IsKeyByte(c)) return false;
  }
  return true;
}

class MemoryStore final : public ObjectStore {
 public:
  Result<bool> Put(const std::string& key, std::string_view bytes,
                   const PutOptions& options) override {
    TRY(CheckKey(key));
    const MutexLock lock(mutex_);
    if (options.if_absent) return objects_.emplace(key, bytes).second;
    objects_[key] = bytes;
    return true;
  }

  Result<std::string> Get(const std::string& key) override {
    TRY(CheckKey(key));
    const MutexLock lock(mutex_);
    const auto it = objects_.find(key);
    if (it == objects_.end()) return Error{Code::kNotFound, "object " + key};
    return it->second;
  }

  Result<bool> Exists(const std::string& key) override {
    TRY(CheckKey(key));
    const MutexLock lock(mutex_);
    return objects_.contains(key);
  }

  Result<void> Delete(const std::string& key) override {
    TRY(CheckKey(key));
    const MutexLock lock(mutex_);
    objects_.erase(key);
    return {};
  }

 private:
  Mutex mutex_;
  std::map<std::string, std::string> objects_ GUARDED_BY(mutex_);
};

}  // namespace

bool IsValidKey(std::string_view key) {
  if (key.size() > kMaxKeyBytes) return false;
  while (true) {
    const size_t slash = key.find('/');
    if (!IsValidPart(key.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

Result<void> CheckKey(std::string_view key) {
  if (IsValidKey(key)) return {};
  return Error{Code::kInvalid, "object key '" + std::string(key) + "'"};
}

std::unique_ptr<ObjectStore> NewMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace llama::store
