// UploadQueue: what jobs need in the store, sent by one thread of its own, so that a job waits for
// a store only as long as that is worth it: it can leave, and its upload goes on for all others.
//
// Requests that wait while a batch is under way make the next batch. A failure that is the store's
// own is remembered for all jobs: until some seconds have passed each is told at once what the last
// failure was; then the next request is sent as a probe, for which nobody waits. Each probe that
// fails doubles the time. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "store/retries.h"
#include "tree/layer.h"

namespace llama::execute {

class UploadQueue {
 public:
  struct Cost {
    uint64_t store_requests = 0;
    uint64_t uploaded_objects = 0;
    uint64_t uploaded_bytes = 0;
    int64_t store_ns = 0;  // in those requests, failed ones and waits between them included
    uint64_t retried_requests = 0;
    int64_t retried_ns = 0;  // of store_ns: what failed, and the waits
  };
  // kUnavailable: a file is no longer what the manifest says. kRemoteFailed: the store's failure.
  struct Request {
    tree::Manifest wanted = {};
    bool repack = false;  // into one layer, though others hold it
    std::optional<Result<Cost>> ended = {};
  };
  // The object that is on its way to the store.
  struct UnderWay {
    int64_t ms = 0;  // since it began; 0: none is
    uint64_t bytes = 0;
    uint64_t sent_bytes = 0;  // of these: have arrived
    uint64_t retried_requests = 0;
    int64_t retried_ns = 0;
  };
  // Whether who waits for it goes elsewhere.
  using Leaves = std::function<bool(const UnderWay&)>;
  using Batch = std::vector<std::shared_ptr<Request>>;
  // Sends what a batch wants and sets `ended` of each, on the queue's thread.
  using Send = std::function<void(Batch& batch)>;

  static constexpr int64_t kFirstHoldMs = 5'000;
  static constexpr int64_t kMostHoldMs = 60'000;

  UploadQueue(const Clock& clock, Send send);
  ~UploadQueue();  // waits for a batch that is under way; stopping() tells it

  // Waits until it is sent. kCancelled; kRemoteFailed as well if `leaves` gave true, which is asked
  // while the store is being written to.
  Result<Cost> Upload(Request request, const std::function<bool()>& cancelled,
                      const Leaves& leaves);

  // For `send`: around each request to the store, and while it is under way.
  void BeginsPut(uint64_t bytes, const store::Retries& retries);
  void HasSent(uint64_t bytes);
  void EndsPut();
  bool stopping();

 private:
  struct Trouble {
    std::string cause;
    int64_t hold_ms = kFirstHoldMs;
    int64_t until_ns = 0;
  };

  void Run();
  void Learn(const Batch& batch, int64_t now_ns) REQUIRES(mutex_);

  const Clock& clock_;
  const Send send_;
  Mutex mutex_;
  CondVar asked_;
  CondVar ended_;
  Batch waiting_ GUARDED_BY(mutex_);
  std::optional<Trouble> trouble_ GUARDED_BY(mutex_);
  int64_t put_since_ns_ GUARDED_BY(mutex_) = 0;  // 0: none under way
  UnderWay put_ GUARDED_BY(mutex_);
  const store::Retries* put_retries_ GUARDED_BY(mutex_) = nullptr;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace llama::execute
