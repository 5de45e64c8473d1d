#include "mirror/layer_fetch.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace llama::mirror {
namespace {

class CacheSink final : public tree::BlobSink {
 public:
  explicit CacheSink(BlobCache& blobs) : blobs_(blobs) {}
  bool Wants(const store::Digest& digest) override { return blobs_.Claim(digest); }
  Result<void> Put(const store::Digest& digest, std::string_view bytes) override {
    Result<void> written = blobs_.Write(digest, bytes);
    if (!written) failed_ = true;
    return written;
  }
  bool failed() const { return failed_; }

 private:
  BlobCache& blobs_;
  bool failed_ = false;
};

class Fetch {
 public:
  Fetch(store::ObjectStore& store, std::vector<tree::LayerRef> layers, BlobCache& blobs)
      : store_(store), layers_(std::move(layers)), blobs_(blobs) {}

  // Takes layers off the list until none is left.
  void Work() {
    while (true) {
      tree::LayerRef layer;
      {
        const MutexLock lock(mutex_);
        if (next_ == layers_.size()) return;
        layer = layers_[next_++];
      }
      One(layer.key);
    }
  }

  FetchedLayers Take() {
    const MutexLock lock(mutex_);
    std::sort(result_.missing.begin(), result_.missing.end());
    result_.retried_requests = retries_.requests();
    result_.retried_ns = retries_.ns();
    return std::move(result_);
  }

 private:
  void One(const std::string& key) {
    const Result<std::string> bytes = store_.GetWith(key, {.retries = &retries_});
    if (!bytes) {
      const MutexLock lock(mutex_);
      Failed(key, bytes.error(), bytes.error().code == Code::kNotFound);
      return;
    }
    CacheSink sink(blobs_);
    Result<tree::Manifest> manifest = tree::ReadLayer(key, *bytes, sink);
    const MutexLock lock(mutex_);
    ++result_.objects;
    result_.bytes += bytes->size();
    if (manifest) {
      result_.manifests.emplace(key, *std::move(manifest));
      return;
    }
    if (sink.failed()) result_.disk_failed = true;
    Failed(key, manifest.error(), !sink.failed() && manifest.error().code == Code::kInvalid);
  }

  void Failed(const std::string& key, const Error& error, bool is_missing) REQUIRES(mutex_) {
    if (is_missing) {
      result_.missing.push_back(key);
    } else if (!result_.error) {
      result_.error = Error(error).With("layer " + key);
    }
  }

  store::ObjectStore& store_;
  const std::vector<tree::LayerRef> layers_;
  BlobCache& blobs_;
  store::Retries retries_;
  Mutex mutex_;
  size_t next_ GUARDED_BY(mutex_) = 0;
  FetchedLayers result_ GUARDED_BY(mutex_);
};

}  // namespace

FetchedLayers FetchLayers(store::ObjectStore& store, std::vector<tree::LayerRef> layers,
                          BlobCache& blobs, int parallel) {
  // The largest first: one that comes last would be waited for alone.
  std::stable_sort(
      layers.begin(), layers.end(),
      [](const tree::LayerRef& a, const tree::LayerRef& b) { return a.size_bytes > b.size_bytes; });
  const size_t count = std::min(layers.size(), static_cast<size_t>(std::max(parallel, 1)));
  Fetch fetch(store, std::move(layers), blobs);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < count; ++i) threads.emplace_back([&fetch] { fetch.Work(); });
  fetch.Work();
  for (std::thread& thread : threads) thread.join();
  blobs.EndClaims();
  return fetch.Take();
}

}  // namespace llama::mirror
