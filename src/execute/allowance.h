// Allowance: the one budget that a job has for everything that the cloud takes beside the command:
// waits for uploads, requests that fail and are made again, jobs and answers on their way, workers
// that are started or lost. Each of these has limits of its own; a job that meets one after the
// other would spend their sum. What it spends here is spent for good, however many scans, uploads
// and invocations it takes, and when nothing is left it runs here.
//
// Two things are excused: what the command itself took, and waiting for a place among invocations
// of ours, which is a queue that moves. Not counted at all is what this machine does: scans,
// checks, audits. Not thread-safe: it is the job's thread's.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace llama::execute {

class Allowance {
 public:
  static constexpr int64_t kUnlimitedMs = INT64_MAX / 2'000'000;

  explicit Allowance(int64_t ms = kUnlimitedMs) : left_ns_(ms * 1'000'000) {}
  bool is_spent() const { return left_ns_ <= 0; }

  // Time that is spent, from the construction to the destruction.
  class Stretch {
   public:
    Stretch(Allowance& allowance, const Clock& clock)
        : allowance_(allowance), clock_(clock), begun_ns_(clock.MonotonicNs()) {}
    ~Stretch() { allowance_.left_ns_ -= std::max<int64_t>(0, elapsed_ns() - excused_ns_); }
    Stretch(const Stretch&) = delete;
    Stretch& operator=(const Stretch&) = delete;

    // So much of it was none of the cloud's; never more than it has lasted.
    void Excuse(int64_t ns) { excused_ns_ += std::max<int64_t>(0, ns); }
    // Of the allowance, 0 once it is spent; nothing is excused yet.
    int64_t LeftMs() const {
      return std::max<int64_t>(0, (allowance_.left_ns_ - elapsed_ns()) / 1'000'000);
    }
    bool is_spent() const { return elapsed_ns() >= allowance_.left_ns_; }

   private:
    int64_t elapsed_ns() const { return clock_.MonotonicNs() - begun_ns_; }

    Allowance& allowance_;
    const Clock& clock_;
    const int64_t begun_ns_;
    int64_t excused_ns_ = 0;
  };

 private:
  int64_t left_ns_;
};

}  // namespace llama::execute
