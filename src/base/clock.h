// Time. Everything that measures or waits takes a Clock, so that tests can hold it, and does so on
// the monotonic clock: the wall clock may be set in mid-job, and says only when something began.
#pragma once

#include <atomic>
#include <cstdint>

namespace llama {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since the Unix epoch: what spans carry.
  virtual int64_t NowNs() const = 0;
  // Nanoseconds since some fixed point, never going back: what deadlines are made of.
  virtual int64_t MonotonicNs() const = 0;
};

// The system's clocks. Thread-safe, as is every Clock.
const Clock& SystemClock();

// A clock that a test moves by hand. The monotonic clock begins elsewhere, so that who takes one
// for the other is found out.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t now_ns = 1'600'000'000'000'000'000) : wall_ns_(now_ns) {}
  int64_t NowNs() const override { return wall_ns_; }
  int64_t MonotonicNs() const override { return monotonic_ns_; }
  void AdvanceNs(int64_t ns) {
    wall_ns_ += ns;
    monotonic_ns_ += ns;
  }
  // As when somebody sets the time, or the machine was asleep.
  void StepWallNs(int64_t ns) { wall_ns_ += ns; }

 private:
  std::atomic<int64_t> wall_ns_;
  std::atomic<int64_t> monotonic_ns_{3'600'000'000'000};
};

}  // namespace llama
