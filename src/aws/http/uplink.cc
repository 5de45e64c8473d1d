#include "aws/http/uplink.h"

#include <algorithm>

namespace llama::aws {
namespace {

constexpr int64_t kPeriodNs = 5'000'000'000;
// Shorter times are the sweep's grain, not the line's.
constexpr int64_t kLeastNs = 1'000'000;
constexpr int64_t kPollMs = 100;

}  // namespace

uint64_t UplinkWindow::window_bytes() const {
  const double rate = std::max(rate_, former_rate_);
  if (rate <= 0) return kFirstWindow;
  const double window = 2 * rate * kTargetDelayMs / 1000;
  return static_cast<uint64_t>(
      std::clamp(window, static_cast<double>(kMinWindow), static_cast<double>(kMaxWindow)));
}

bool UplinkWindow::HasRoomFor(uint64_t bytes) const {
  return in_flight_ == 0 || in_flight_ + bytes <= window_bytes();
}

UplinkWindow::Upload UplinkWindow::Begin(uint64_t bytes, int64_t now_ns) {
  in_flight_ += bytes;
  return {bytes, now_ns, delivered_};
}

void UplinkWindow::Delivered(const Upload& upload, int64_t now_ns) {
  const bool limited = refused_at_ > upload.delivered_before;
  in_flight_ -= upload.bytes;
  delivered_ += upload.bytes;
  const int64_t took_ns = std::max(kLeastNs, now_ns - upload.begun_ns);
  const double bytes = static_cast<double>(delivered_ - upload.delivered_before);
  Measured(bytes * 1e9 / static_cast<double>(took_ns), limited, now_ns);
}

void UplinkWindow::Measured(double bytes_per_s, bool limited, int64_t now_ns) {
  // Without a measurement that says what the line can carry, what is known stays.
  if (limited && now_ns - period_ns_ >= kPeriodNs) {
    former_rate_ = rate_;
    rate_ = 0;
    period_ns_ = now_ns;
  }
  if (limited || bytes_per_s > std::max(rate_, former_rate_)) rate_ = std::max(rate_, bytes_per_s);
}

Result<Uplink::Upload> Uplink::Begin(uint64_t bytes, const std::function<bool()>& cancelled,
                                     int64_t deadline_ns) {
  MutexLock lock(mutex_);
  const void* me = &bytes;
  queue_.push_back(me);
  std::optional<Error> end;
  while (queue_.front() != me || !window_.HasRoomFor(bytes)) {
    window_.Refused();
    if (cancelled && cancelled()) end = Error{Code::kCancelled, "cancelled"};
    if (deadline_ns > 0 && clock_.MonotonicNs() >= deadline_ns) {
      end = Error{Code::kDeadline, "the uplink is busy with other uploads"};
    }
    if (end) break;
    room_.WaitFor(mutex_, kPollMs);
  }
  queue_.erase(std::find(queue_.begin(), queue_.end(), me));
  room_.NotifyAll();  // the next in the queue may have room, too
  if (end) return *std::move(end);
  return window_.Begin(bytes, clock_.MonotonicNs());
}

void Uplink::Delivered(const Upload& upload) {
  MutexLock lock(mutex_);
  window_.Delivered(upload, clock_.MonotonicNs());
  room_.NotifyAll();
}

void Uplink::Failed(const Upload& upload) {
  MutexLock lock(mutex_);
  window_.Failed(upload);
  room_.NotifyAll();
}

uint64_t Uplink::window_bytes() {
  MutexLock lock(mutex_);
  return window_.window_bytes();
}

}  // namespace llama::aws
