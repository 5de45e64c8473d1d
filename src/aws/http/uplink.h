// Uplink: a cap on the bytes that are on their way up, so that a thin line stays usable: for the
// small requests of other jobs, which would wait behind megabytes of packs, and for whoever else
// uses it. All uploads above kUplinkFreeBytes pass through one Uplink.
//
// The control law is that of TCP Vegas and BBR, for whole bodies: the bytes in flight (W) over the
// rate at which the line delivers them (C) are the time that a byte spends under way, and that
// delay is held at about 2 × kTargetDelayMs:
//
//   W = 2 × C × kTargetDelay,  between kMinWindow and kMaxWindow; 1 MiB before C is known
//   C = the most that was delivered per second during any upload of the last 5 to 10 s
//
// While the line is not full, more in flight means that more is delivered in the same time: each
// round W grows by the factor 2 × kTargetDelay / delay. Once it is full, C stays what it is
// whatever W is, and with it W: uploads then take as long as their share of the line demands, and
// no queue of more than about half a second builds up in the router. When the line gets thinner, C
// follows as old measurements expire. Measurements made while nobody waited say what was asked for,
// not what the line can carry, so they can only raise C.
//
// A body larger than W goes alone. "Delivered" is when the other side has acknowledged the last
// byte (HttpRequest::on_sent), not when it has answered: a compile may lie between.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace llama::aws {

inline constexpr uint64_t kUplinkFreeBytes = 64 << 10;

// The law without the waiting. Not thread-safe.
class UplinkWindow {
 public:
  static constexpr int64_t kTargetDelayMs = 250;
  static constexpr uint64_t kFirstWindow = 1 << 20;
  static constexpr uint64_t kMinWindow = 256 << 10;
  static constexpr uint64_t kMaxWindow = 256 << 20;

  struct Upload {
    uint64_t bytes = 0;
    int64_t begun_ns = 0;
    uint64_t delivered_before = 0;
  };

  bool HasRoomFor(uint64_t bytes) const;
  Upload Begin(uint64_t bytes, int64_t now_ns);
  // Somebody found no room.
  void Refused() { refused_at_ = delivered_ + in_flight_; }
  void Delivered(const Upload& upload, int64_t now_ns);
  void Failed(const Upload& upload) { in_flight_ -= upload.bytes; }

  uint64_t window_bytes() const;

 private:
  void Measured(double bytes_per_s, bool limited, int64_t now_ns);

  uint64_t in_flight_ = 0;
  uint64_t delivered_ = 0;
  // An upload that ends before so much has been delivered was under way with others waiting.
  uint64_t refused_at_ = 0;
  double rate_ = 0;         // the most in the 5 s under way …
  double former_rate_ = 0;  // … and in those before
  int64_t period_ns_ = 0;
};

// Thread-safe. Admits in order of arrival, so that a large body is not overtaken for ever.
class Uplink {
 public:
  explicit Uplink(const Clock& clock) : clock_(clock) {}

  using Upload = UplinkWindow::Upload;
  // Waits until there is room. kCancelled, kDeadline (0: none).
  Result<Upload> Begin(uint64_t bytes, const std::function<bool()>& cancelled, int64_t deadline_ns);
  void Delivered(const Upload& upload);
  void Failed(const Upload& upload);
  uint64_t window_bytes();

 private:
  const Clock& clock_;
  Mutex mutex_;
  CondVar room_;
  UplinkWindow window_ GUARDED_BY(mutex_);
  std::deque<const void*> queue_ GUARDED_BY(mutex_);
};

}  // namespace llama::aws
