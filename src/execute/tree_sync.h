// TreeSync: keeps the remote tree in step with what jobs need.
//
// A job asks for a manifest and gets the layers and inline entries whose view holds it. Small new
// files travel inline with the first few jobs that need them; once they add up, or are asked for
// again, they go into a layer together with everything else that is wanted at that moment: one
// object for many files and many waiting jobs (group commit), and the headers beside them, so that
// the number of store requests does not grow with the number of compiles. Jobs that need the same
// file wait for the one upload. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "execute/siblings.h"
#include "execute/upload_queue.h"
#include "store/object_store.h"
#include "tree/layer.h"
#include "tree/layer_index.h"

namespace llama::execute {

struct Synced {
  std::vector<tree::LayerRef> layers;
  tree::Manifest inline_entries;  // not in the layers: links, directories, small files
  std::vector<std::pair<std::string, std::string>> inline_contents;  // path → bytes of those files
  uint64_t store_requests = 0;                                       // made on this job's account
  uint64_t uploaded_objects = 0;
  uint64_t uploaded_bytes = 0;
  int64_t store_ns = 0;           // in those requests
  uint64_t retried_requests = 0;  // besides them: failed, and made again
  int64_t retried_ns = 0;         // of store_ns: for those
};

class TreeSync {
 public:
  TreeSync(store::ObjectStore& store, tree::LayerIndex& index, files::DigestCache& digests,
           const Clock& clock)
      : store_(store),
        index_(index),
        clock_(clock),
        siblings_(digests),
        uploads_(clock, [this](UploadQueue::Batch& batch) { SendBatch(batch); }) {}

  // The same for a closure that many actions share (Closure::id), answered from memory while
  // the index is what it was.
  Result<Synced> EnsureShared(uint64_t closure_id, const tree::Manifest& wanted,
                              const tree::Manifest& shared, const std::function<bool()>& cancelled,
                              const UploadQueue::Leaves& leaves = {});

  // kUnavailable: a file is no longer what the manifest says (scan again); kRemoteFailed: the store
  // fails, or failed a moment ago, or `leaves` gave true (UploadQueue::Upload); kCancelled.
  // `shared` are entries for many jobs (the toolchain): never inline.
  Result<Synced> Ensure(const tree::Manifest& wanted, const tree::Manifest& shared,
                        const std::function<bool()>& cancelled,
                        const UploadQueue::Leaves& leaves = {});

  // A worker did not find these objects, in an invocation that began at `since_ns` (monotonic):
  // they are sent again when next needed, unless that already happened after that time.
  void Lost(const std::vector<std::string>& keys, int64_t since_ns);

 private:
  Result<bool> TakeInline(const tree::Manifest& missing, Synced& out) EXCLUDES(mutex_);
  Result<void> Upload(UploadQueue::Request request, Synced& out,
                      const std::function<bool()>& cancelled, const UploadQueue::Leaves& leaves);
  // On the queue's thread.
  void SendBatch(UploadQueue::Batch& batch) EXCLUDES(mutex_);
  Result<UploadQueue::Cost> UploadLayer(const tree::Manifest& entries) EXCLUDES(mutex_);

  store::ObjectStore& store_;
  tree::LayerIndex& index_;
  const Clock& clock_;

  Siblings siblings_;  // of the queue's thread

  static constexpr size_t kMostRemembered = 512;
  struct Remembered {
    uint64_t index_version = 0;
    Synced synced;
  };

  Mutex memory_mutex_;
  std::unordered_map<uint64_t, Remembered> remembered_ GUARDED_BY(memory_mutex_);

  Mutex mutex_;
  // What has travelled inline since the last upload, and how often; the next layer takes it along.
  tree::Manifest inline_entries_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, int> inline_uses_ GUARDED_BY(mutex_);
  uint64_t inline_bytes_ GUARDED_BY(mutex_) = 0;
  std::set<std::string> lost_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, int64_t> sent_ns_ GUARDED_BY(mutex_);

  UploadQueue uploads_;  // last: its thread uses the others
};

}  // namespace llama::execute
