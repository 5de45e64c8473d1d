// JobStore: the store that the current job is served from: the Runtime API's, or the bucket that
// its envelope names. Use() is called between jobs only; the rest by any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/object_store.h"

namespace llama::worker {

// No object that a job needs is larger.
inline constexpr uint64_t kMaxObjectBytes = 2ull << 30;

class JobStore final : public store::ObjectStore {
 public:
  explicit JobStore(store::ObjectStore& first) : current_(&first) {}

  // `store` must live until another one is used.
  void Use(store::ObjectStore& store) { current_ = &store; }

  Result<bool> Put(const std::string& key, std::string_view bytes,
                   const store::PutOptions& options) override {
    return current_->Put(key, bytes, options);
  }
  Result<std::string> Get(const std::string& key) override { return current_->Get(key); }
  Result<std::string> GetWith(const std::string& key, const store::GetOptions& options) override {
    return current_->GetWith(key, options);
  }
  Result<bool> Exists(const std::string& key) override { return current_->Exists(key); }
  Result<void> Delete(const std::string& key) override { return current_->Delete(key); }

 private:
  store::ObjectStore* current_;
};

}  // namespace llama::worker
