#include "execute/upload_queue.h"

#include <algorithm>
#include <utility>

namespace llama::execute {
namespace {

constexpr int64_t kWaitPollMs = 100;

}  // namespace

UploadQueue::UploadQueue(const Clock& clock, Send send)
    : clock_(clock), send_(std::move(send)), thread_([this] { Run(); }) {}

UploadQueue::~UploadQueue() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  asked_.NotifyAll();
  thread_.join();
}

bool UploadQueue::stopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

void UploadQueue::BeginsPut(uint64_t bytes, const store::Retries& retries) {
  const MutexLock lock(mutex_);
  put_since_ns_ = clock_.MonotonicNs();
  put_ = {.bytes = bytes};
  put_retries_ = &retries;
}

void UploadQueue::HasSent(uint64_t bytes) {
  const MutexLock lock(mutex_);
  put_.sent_bytes = std::min(bytes, put_.bytes);
}

void UploadQueue::EndsPut() {
  const MutexLock lock(mutex_);
  put_since_ns_ = 0;
  put_retries_ = nullptr;
}

Result<UploadQueue::Cost> UploadQueue::Upload(Request asked, const std::function<bool()>& cancelled,
                                              const Leaves& leaves) {
  auto request = std::make_shared<Request>(std::move(asked));
  const MutexLock lock(mutex_);
  if (trouble_) {
    const Error known{Code::kRemoteFailed, trouble_->cause + " (a moment ago)"};
    const int64_t now_ns = clock_.MonotonicNs();
    if (now_ns < trouble_->until_ns) return known;
    trouble_->until_ns = now_ns + trouble_->hold_ms * 1'000'000;
    waiting_.push_back(std::move(request));
    asked_.NotifyOne();
    return known;
  }
  waiting_.push_back(request);
  asked_.NotifyOne();
  while (!request->ended) {
    if (cancelled && cancelled()) return Error{Code::kCancelled, "sync"};
    put_.ms = put_since_ns_ == 0 ? 0 : (clock_.MonotonicNs() - put_since_ns_) / 1'000'000;
    if (put_retries_ != nullptr) {
      put_.retried_requests = put_retries_->requests();
      put_.retried_ns = put_retries_->ns();
    }
    if (put_.ms > 0 && leaves && leaves(put_)) {
      return Error{Code::kRemoteFailed, "an upload takes long: " + std::to_string(put_.sent_bytes) +
                                            " of " + std::to_string(put_.bytes) + " bytes in " +
                                            std::to_string(put_.ms) + " ms"};
    }
    ended_.WaitFor(mutex_, kWaitPollMs);
  }
  return *request->ended;
}

void UploadQueue::Run() {
  while (true) {
    Batch batch;
    {
      const MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) asked_.Wait(mutex_);
      if (stopping_) return;
      batch.swap(waiting_);
    }
    // `ended` is looked at under the lock by those who wait.
    Batch sent;
    for (const auto& request : batch) {
      sent.push_back(
          std::make_shared<Request>(Request{std::move(request->wanted), request->repack}));
    }
    send_(sent);
    const MutexLock lock(mutex_);
    for (size_t i = 0; i < batch.size(); ++i) batch[i]->ended = std::move(sent[i]->ended);
    Learn(batch, clock_.MonotonicNs());
    ended_.NotifyAll();
  }
}

void UploadQueue::Learn(const Batch& batch, int64_t now_ns) {
  for (const auto& request : batch) {
    if (*request->ended) {
      trouble_.reset();
      return;
    }
  }
  for (const auto& request : batch) {
    const Error& error = request->ended->error();
    if (error.code != Code::kRemoteFailed) continue;
    Trouble trouble;
    trouble.cause = error.message;
    if (trouble_) trouble.hold_ms = std::min(2 * trouble_->hold_ms, kMostHoldMs);
    trouble.until_ns = now_ns + trouble.hold_ms * 1'000'000;
    trouble_ = std::move(trouble);
    // Who waits has the same before it.
    for (const auto& other : waiting_) other->ended = error;
    waiting_.clear();
    return;
  }
  // The files of a probe had changed: it says nothing about the store, so another may ask.
  if (trouble_) trouble_->until_ns = now_ns;
}

}  // namespace llama::execute
