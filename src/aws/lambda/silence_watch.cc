#include "aws/lambda/silence_watch.h"

#include <algorithm>
#include <utility>

namespace llama::aws {
namespace {

constexpr int64_t kLookMs = 250;

}  // namespace

SilenceWatch::SilenceWatch(Service& service, const Clock& clock, std::function<void()> ask)
    : service_(service), clock_(clock), ask_(std::move(ask)), thread_([this] { Run(); }) {}

SilenceWatch::~SilenceWatch() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

bool SilenceWatch::is_mute() const {
  return service_.unanswered() >= kUnanswered && !service_.Outage().empty();
}

void SilenceWatch::Begin() {
  const MutexLock lock(mutex_);
  if (under_way_++ > 0) return;
  begun_ns_ = clock_.MonotonicNs();
  changed_.NotifyAll();
}

void SilenceWatch::End() {
  const MutexLock lock(mutex_);
  --under_way_;
}

// False: stop.
bool SilenceWatch::WaitForSilence() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (under_way_ == 0) {
      changed_.Wait(mutex_);
      continue;
    }
    const int64_t heard_ns = std::max(begun_ns_, service_.last_answer_ns());
    if (clock_.MonotonicNs() - heard_ns >= kSilentMs * 1'000'000) return true;
    changed_.WaitFor(mutex_, kLookMs);
  }
  return false;
}

void SilenceWatch::Run() {
  while (WaitForSilence()) {
    const int64_t asked_ns = clock_.MonotonicNs();
    ask_();
    // An error that comes at once (no connection, an open circuit) is not asked for in a loop.
    const int64_t rest_ms = kLookMs - (clock_.MonotonicNs() - asked_ns) / 1'000'000;
    const MutexLock lock(mutex_);
    if (rest_ms > 0 && !stopping_) changed_.WaitFor(mutex_, rest_ms);
  }
}

}  // namespace llama::aws
