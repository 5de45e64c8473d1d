// Time. Everything that measures or waits takes a Clock, so that tests can hold it.
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

// A clock that a test moves by hand.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t now_ns = 1'600'000'000'000'000'000) : now_ns_(now_ns) {}
  int64_t NowNs() const override { return now_ns_; }
  int64_t MonotonicNs() const override { return now_ns_; }
  void AdvanceNs(int64_t ns) { now_ns_ += ns; }

 private:
  std::atomic<int64_t> now_ns_;
};

}  // namespace llama
