#include "aws/lambda/silence_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace llama::aws {
namespace {

// Says of itself what a test wants.
class SilentService final : public Service {
 public:
  Result<ServiceAnswer> Call(const ServiceCall&) override {
    return Error{Code::kDeadline, "no answer"};
  }
  std::string Outage() override { return is_down ? "no answer" : ""; }
  int64_t last_answer_ns() const override { return answered_ns; }
  int unanswered() const override { return asked; }
  const ServiceOptions& options() const override { return options_; }

  std::atomic<int> asked = 0;
  std::atomic<bool> is_down = false;
  std::atomic<int64_t> answered_ns = 0;

 private:
  ServiceOptions options_;
};

TEST(SilenceWatch, AsksWhileAnInvocationIsUnderWayAndNothingComes) {
  FakeClock clock;
  SilentService service;
  SilenceWatch watch(service, clock, [&] {
    ++service.asked;
    service.answered_ns = clock.MonotonicNs();
  });
  clock.AdvanceNs(SilenceWatch::kSilentMs * 5'000'000);
  {
    const SilenceWatch::Invocation invocation(watch);
    EXPECT_EQ(service.asked, 0) << "silence counts from its beginning";
    clock.AdvanceNs(SilenceWatch::kSilentMs * 1'000'000);
    while (service.asked == 0) std::this_thread::yield();
  }
  EXPECT_EQ(service.asked, 1) << "it was answered";
}

TEST(SilenceWatch, AnEndpointIsMuteWhenDryRunsAreNotAnsweredAndTheCircuitIsOpen) {
  FakeClock clock;
  SilentService service;
  SilenceWatch watch(service, clock, [&] { ++service.asked; });
  const SilenceWatch::Invocation invocation(watch);
  clock.AdvanceNs(SilenceWatch::kSilentMs * 1'000'000);
  while (service.asked < SilenceWatch::kUnanswered) std::this_thread::yield();
  EXPECT_FALSE(watch.is_mute());
  service.is_down = true;
  EXPECT_TRUE(watch.is_mute());
}

}  // namespace
}  // namespace llama::aws
