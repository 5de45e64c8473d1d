#include "execute/replay.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "execute/testing.h"

namespace llama::execute {
namespace {

// Answers with `outcome` after `takes_ms`.
class SlowExecutor final : public Executor {
 public:
  Abilities abilities() const override { return {.records_lookups = true}; }
  OrReason<Outcome> Execute(const Action& action, Execution& execution) override {
    if (runs++ == 0) first = action;
    execution.charges.bytes_up += 7;
    std::this_thread::sleep_for(std::chrono::milliseconds(takes_ms));
    if (reason) return *reason;
    return outcome;
  }
  std::atomic<int> runs{0};
  Action first;
  int64_t takes_ms = 0;
  std::optional<Reason> reason;
  Outcome outcome;
};

class ReplayTest : public testing::Test {
 protected:
  ReplayTest() {
    action_ = world_.ActionOver({}, walker_);
    inner_.outcome.wait_status = 1 << 8;
    inner_.outcome.out = "out";
    inner_.outcome.err = "warning";
    inner_.outcome.files = {{world_.Path("out.o"), 0755, std::string("obj\0ect", 7)}};
    inner_.outcome.lookups.complete = true;
    inner_.outcome.lookups.found = {"/a", "/b"};
    inner_.outcome.lookups.absent = {"/c"};
    inner_.outcome.usage.user_ns = 42;
    options_.dir = dir_.path();
  }
  OrReason<Outcome> Run(Executor& executor, const Action& action,
                        std::function<bool()> cancelled = {}, Charges* charges = nullptr) {
    trace::Phases phases(SystemClock(), {}, SystemClock().NowNs(), SystemClock().MonotonicNs());
    Execution execution{
        .clock = SystemClock(), .phases = phases, .cancelled = std::move(cancelled)};
    auto outcome = executor.Execute(action, execution);
    if (charges != nullptr) *charges = execution.charges;
    return outcome;
  }
  void Record() {
    RecordingExecutor recording(inner_, dir_.path());
    ASSERT_TRUE(Run(recording, action_));
    inner_.takes_ms = 0;
  }
  // Of running them all at once, one a thread.
  int64_t TimeMs(ReplayExecutor& replay, int count) {
    const int64_t begin_ns = SystemClock().MonotonicNs();
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&] { EXPECT_TRUE(Run(replay, action_)); });
    }
    for (std::thread& thread : threads) thread.join();
    return (SystemClock().MonotonicNs() - begin_ns) / 1'000'000;
  }

  FileWorld world_;
  files::PathWalker walker_{world_.digests(), world_.file_system()};
  TempDir dir_ = TempDir::Create("replay-test").value();
  SlowExecutor inner_;
  ReplayOptions options_;
  Action action_;
};

TEST_F(ReplayTest, AnswersWithWhatWasRecordedAndRunsNothing) {
  Record();
  ReplayExecutor replay(options_, inner_, SystemClock());
  Charges charges;
  const auto outcome = Run(replay, action_, {}, &charges);
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(inner_.runs, 1);
  EXPECT_EQ(outcome->wait_status, 1 << 8);
  EXPECT_EQ(outcome->out, "out");
  EXPECT_EQ(outcome->err, "warning");
  ASSERT_EQ(outcome->files.size(), 1u);
  EXPECT_EQ(outcome->files[0].bytes, std::string("obj\0ect", 7));
  EXPECT_EQ(outcome->files[0].mode, 0755u);
  EXPECT_TRUE(outcome->lookups.complete);
  EXPECT_EQ(outcome->lookups.found, inner_.outcome.lookups.found);
  EXPECT_EQ(outcome->lookups.absent, inner_.outcome.lookups.absent);
  EXPECT_EQ(outcome->usage.user_ns, 42);
  EXPECT_EQ(charges.replayed, 1u);
  EXPECT_EQ(charges.unrecorded, 0u);
  EXPECT_EQ(charges.bytes_up, 7u);
}

TEST_F(ReplayTest, ARecordingTellsAllAndAReplayWhatWasNotForetold) {
  const store::Digest report = store::Sha256("report");
  inner_.outcome.lookups.report = report;
  action_.foretold = {report};
  Record();
  EXPECT_TRUE(inner_.first.foretold.empty());
  ReplayExecutor replay(options_, inner_, SystemClock());
  auto outcome = Run(replay, action_);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->lookups.foretold, report);
  EXPECT_TRUE(outcome->lookups.found.empty());
  action_.foretold = {store::Sha256("another")};
  outcome = Run(replay, action_);
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->lookups.foretold);
  EXPECT_EQ(outcome->lookups.report, report);
  EXPECT_EQ(outcome->lookups.found, inner_.outcome.lookups.found);
}

TEST_F(ReplayTest, AnOutputThatStandsThereIsNoOtherAction) {
  Record();
  action_.standing = {world_.Path("out.o")};
  ReplayExecutor replay(options_, inner_, SystemClock());
  EXPECT_TRUE(Run(replay, action_));
  EXPECT_EQ(inner_.runs, 1);
}

TEST_F(ReplayTest, WhatWasNotRecordedRunsAndCounts) {
  Record();
  action_.argv = {"cc", "-O3"};
  ReplayExecutor replay(options_, inner_, SystemClock());
  Charges charges;
  EXPECT_TRUE(Run(replay, action_, {}, &charges));
  EXPECT_EQ(inner_.runs, 2);
  EXPECT_EQ(charges.unrecorded, 1u);
  EXPECT_EQ(charges.replayed, 0u);
}

TEST_F(ReplayTest, ADamagedRecordingIsNone) {
  Record();
  const std::string path = JoinPath(dir_.path(), RecordingName(action_));
  const std::string whole = *ReadFile(path);
  for (const std::string& bytes :
       {std::string(), std::string("llo\2"), whole.substr(0, whole.size() - 1), whole + "x",
        std::string("garbage")}) {
    ASSERT_TRUE(WriteFileAtomic(path, bytes, 0600));
    ReplayExecutor replay(options_, inner_, SystemClock());
    const int runs = inner_.runs;
    EXPECT_TRUE(Run(replay, action_));
    EXPECT_EQ(inner_.runs, runs + 1);
  }
}

TEST_F(ReplayTest, AFailureIsNotRecorded) {
  inner_.reason = Reason{"invoke", "lost"};
  RecordingExecutor recording(inner_, dir_.path());
  EXPECT_FALSE(Run(recording, action_));
  EXPECT_TRUE(ListDir(dir_.path())->empty());
}

TEST_F(ReplayTest, TakesTheRecordedTimeByItsSpeed) {
  inner_.takes_ms = 200;
  Record();
  ReplayExecutor real(options_, inner_, SystemClock());
  EXPECT_GE(TimeMs(real, 1), 200);
  options_.speed = 1000;
  ReplayExecutor quick(options_, inner_, SystemClock());
  EXPECT_LT(TimeMs(quick, 1), 200);
  options_.speed = 0;
  ReplayExecutor at_once(options_, inner_, SystemClock());
  EXPECT_LT(TimeMs(at_once, 1), 200);
}

TEST_F(ReplayTest, WhatComesBeyondItsWorkersWaits) {
  inner_.takes_ms = 50;
  Record();
  options_.workers = 2;
  ReplayExecutor replay(options_, inner_, SystemClock());
  EXPECT_GE(TimeMs(replay, 6), 150);
}

TEST_F(ReplayTest, OnlyAWorkersFirstActionStartsCold) {
  Record();
  options_.cold_start_ms = 100;
  options_.workers = 1;
  ReplayExecutor replay(options_, inner_, SystemClock());
  Charges charges;
  ASSERT_TRUE(Run(replay, action_, {}, &charges));
  EXPECT_EQ(charges.cold_starts, 1u);
  ASSERT_TRUE(Run(replay, action_, {}, &charges));
  EXPECT_EQ(charges.cold_starts, 0u);
}

TEST_F(ReplayTest, TheUplinkIsSharedByAll) {
  action_.input.assign(1000, 'x');
  Record();
  options_.uplink_bytes_per_s = 20'000;  // 50 ms each
  ReplayExecutor replay(options_, inner_, SystemClock());
  EXPECT_GE(TimeMs(replay, 4), 200);
}

TEST_F(ReplayTest, WhoHangsUpLeavesAtOnce) {
  inner_.takes_ms = 100;
  Record();
  options_.speed = 0.0001;
  options_.workers = 1;
  ReplayExecutor replay(options_, inner_, SystemClock());
  std::atomic<bool> cancelled = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {  // one at work, two waiting for it
    threads.emplace_back([&] {
      const auto outcome = Run(replay, action_, [&] { return cancelled.load(); });
      ASSERT_FALSE(outcome);
      EXPECT_EQ(outcome.error().code, Code::kCancelled);
    });
  }
  cancelled = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace llama::execute
