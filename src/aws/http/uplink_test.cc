#include "aws/http/uplink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace llama::aws {
namespace {

constexpr double kMbit = 1e6 / 8;

// A line of `bytes_per_s` that its uploads share evenly, and a round trip for the acknowledgement.
// `uploaders` of them want to send a body at any time.
struct Line {
  double bytes_per_s = 0;
  double round_trip_s = 0.03;
  int uploaders = 400;
  uint64_t body_bytes = 128 << 10;
};

struct Outcome {
  double used = 0;           // share of what the line could have carried
  double worst_delay_s = 0;  // in flight over rate: what another byte would have to wait
};

class Simulation {
 public:
  explicit Simulation(const Line& line) : line_(line) {}

  Outcome Run(double from_s, double until_s) {
    double carried = 0;
    Outcome outcome;
    while (now_s_ < until_s) {
      Admit();
      const double moved = Step();
      if (now_s_ < from_s) continue;
      carried += moved;
      outcome.worst_delay_s = std::max(outcome.worst_delay_s, OnTheLine() / line_.bytes_per_s);
    }
    outcome.used = carried / (line_.bytes_per_s * (until_s - from_s));
    return outcome;
  }
  void ChangeRate(double bytes_per_s) { line_.bytes_per_s = bytes_per_s; }
  UplinkWindow& window() { return window_; }

 private:
  struct Flight {
    UplinkWindow::Upload upload;
    double left = 0;
    double acknowledged_s = 0;  // once nothing is left
  };

  int64_t NowNs() const { return static_cast<int64_t>(now_s_ * 1e9); }

  void Admit() {
    while (static_cast<int>(flights_.size()) < line_.uploaders) {
      if (!window_.HasRoomFor(next_bytes_)) return window_.Refused();
      flights_.push_back(
          {window_.Begin(next_bytes_, NowNs()), static_cast<double>(next_bytes_), 0});
      next_bytes_ = sizes_(random_);
    }
  }

  double OnTheLine() const {
    double bytes = 0;
    for (const Flight& flight : flights_) bytes += flight.left;
    return bytes;
  }

  // One millisecond.
  double Step() {
    constexpr double kStepS = 0.001;
    now_s_ += kStepS;
    const auto sending = std::count_if(flights_.begin(), flights_.end(),
                                       [](const Flight& flight) { return flight.left > 0; });
    const double share =
        sending == 0 ? 0 : line_.bytes_per_s * kStepS / static_cast<double>(sending);
    double moved = 0;
    for (Flight& flight : flights_) {
      if (flight.left <= 0) continue;
      const double bytes = std::min(share, flight.left);
      flight.left -= bytes;
      moved += bytes;
      if (flight.left <= 0) flight.acknowledged_s = now_s_ + line_.round_trip_s;
    }
    std::erase_if(flights_, [this](const Flight& flight) {
      const bool done = flight.left <= 0 && now_s_ >= flight.acknowledged_s;
      if (done) window_.Delivered(flight.upload, NowNs());
      return done;
    });
    return moved;
  }

  Line line_;
  UplinkWindow window_;
  std::vector<Flight> flights_;
  std::mt19937 random_{1};
  // Uneven, so that uploads do not march in step.
  std::uniform_int_distribution<uint64_t> sizes_{line_.body_bytes / 2, line_.body_bytes * 3 / 2};
  uint64_t next_bytes_ = line_.body_bytes;
  double now_s_ = 1;
};

TEST(UplinkWindow, KeepsAThinLineUsableAndFull) {
  Simulation simulation({.bytes_per_s = 5 * kMbit});
  const Outcome outcome = simulation.Run(5, 60);
  EXPECT_GT(outcome.used, 0.95);
  EXPECT_LT(outcome.worst_delay_s, 1.0);  // 400 uploads at once would make it 84 s
}

TEST(UplinkWindow, FillsAFastLine) {
  Simulation simulation({.bytes_per_s = 1000 * kMbit});
  const Outcome outcome = simulation.Run(3, 8);
  EXPECT_GT(outcome.used, 0.9);
}

TEST(UplinkWindow, FillsAFastLineOverALongRoundTrip) {
  Simulation simulation({.bytes_per_s = 1000 * kMbit, .round_trip_s = 0.15, .uploaders = 1'000});
  const Outcome outcome = simulation.Run(4, 9);
  EXPECT_GT(outcome.used, 0.7);
}

TEST(UplinkWindow, FollowsALineThatGetsThinner) {
  Simulation simulation({.bytes_per_s = 100 * kMbit});
  EXPECT_GT(simulation.Run(3, 6).used, 0.9);
  simulation.ChangeRate(5 * kMbit);
  (void)simulation.Run(6, 30);
  const Outcome after = simulation.Run(30, 60);
  EXPECT_LT(after.worst_delay_s, 1.0);
  EXPECT_GT(after.used, 0.95);
}

TEST(UplinkWindow, WhatNobodyWaitedForDoesNotLowerIt) {
  UplinkWindow window;
  const auto first = window.Begin(10 << 20, 0);
  window.Refused();
  window.Delivered(first, 100'000'000);
  const uint64_t known = window.window_bytes();
  EXPECT_GT(known, 40u << 20);
  int64_t now_ns = 100'000'000;
  for (int i = 0; i < 100; ++i) {
    const auto upload = window.Begin(70'000, now_ns);
    now_ns += 1'000'000'000;
    window.Delivered(upload, now_ns);
  }
  EXPECT_EQ(window.window_bytes(), known);
}

TEST(UplinkWindow, ABodyLargerThanTheWindowGoesAlone) {
  UplinkWindow window;
  EXPECT_TRUE(window.HasRoomFor(1'000'000'000));
  const auto upload = window.Begin(1'000'000'000, 0);
  EXPECT_FALSE(window.HasRoomFor(1));
  window.Failed(upload);
  EXPECT_TRUE(window.HasRoomFor(1'000'000'000));
}

TEST(Uplink, AdmitsInOrderAndEndsWaiting) {
  Uplink uplink(SystemClock());
  const auto all = uplink.Begin(UplinkWindow::kFirstWindow, nullptr, 0);
  ASSERT_TRUE(all);
  const auto late = uplink.Begin(1, nullptr, SystemClock().MonotonicNs() + 1'000'000);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadline);
  const auto cancelled = uplink.Begin(
      1, [] { return true; }, 0);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Code::kCancelled);

  std::atomic<bool> admitted{false};
  std::thread waiter([&] { admitted = uplink.Begin(1, nullptr, 0).has_value(); });
  uplink.Delivered(*all);
  waiter.join();
  EXPECT_TRUE(admitted);
}

}  // namespace
}  // namespace llama::aws
