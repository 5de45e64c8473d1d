#include "execute/functions.h"

#include <gtest/gtest.h>

#include <optional>

#include "execute/testing.h"

namespace llama::execute {
namespace {

class FunctionExecutorTest : public testing::Test {
 protected:
  FunctionExecutorTest()
      : walker_(world_.digests()),
        index_(tree::LayerIndex::Open("", "test").value()),
        sync_(*store_, *index_, world_.digests(), clock_),
        phases_(clock_, {trace::NewTraceId(), trace::NewSpanId()}, clock_.NowNs(),
                clock_.MonotonicNs()),
        function_([this](const job::Job& job, const job::InvokeOptions& options) {
          jobs_.push_back(job);
          timeouts_.push_back(options.timeout_ms);
          return answer_(job);
        }),
        cloud_(function_) {
    world_.Write("a.c", "int a;\n");
    world_.Write("a.h", "int b;\n");
    answer_ = [](const job::Job&) { return Ran(); };
  }
  static job::Answer Ran() {
    job::Answer answer;
    answer.outcome = job::Outcome::kRan;
    answer.root = "/w/root";
    answer.lookups_complete = true;
    return answer;
  }
  OrReason<Outcome> Execute(const Action& action) {
    FunctionExecutor executor(cloud_, sync_, *index_);
    execution_.emplace(Execution{
        .clock = clock_, .phases = phases_, .cancelled = cancelled_, .deadline_ns = deadline_ns_});
    return executor.Execute(action, *execution_);
  }
  Action Simple() { return world_.ActionOver({"a.c", "a.h"}, walker_); }

  FileWorld world_;
  FakeClock clock_;
  files::PathWalker walker_;
  std::unique_ptr<store::ObjectStore> store_ = store::NewMemoryStore();
  std::unique_ptr<tree::LayerIndex> index_;
  TreeSync sync_;
  trace::Phases phases_;
  std::function<Result<job::Answer>(const job::Job&)> answer_;
  std::vector<job::Job> jobs_;
  std::vector<int64_t> timeouts_;
  FakeFunction function_;
  FakeCloud cloud_;
  std::function<bool()> cancelled_;
  int64_t deadline_ns_ = INT64_MAX;
  std::optional<Execution> execution_;
};

TEST_F(FunctionExecutorTest, TakesTheWorkersRootOffWhatIsPrinted) {
  answer_ = [this](const job::Job&) {
    job::Answer answer = Ran();
    answer.err = "/w/root" + world_.Path("a.c") + ":1: warning\n";
    answer.out = "In /w/root/usr\n";
    answer.outputs = {{world_.Path("out.o"), 0644, "object"}};
    return answer;
  };
  const auto outcome = Execute(Simple());
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(outcome->err, world_.Path("a.c") + ":1: warning\n");
  EXPECT_EQ(outcome->out, "In /usr\n");
  ASSERT_EQ(outcome->files.size(), 1u);
}

TEST_F(FunctionExecutorTest, ForetellsReportsAndBelievesNoOther) {
  Action action = Simple();
  uint64_t claimed = 0;
  answer_ = [&](const job::Job&) {
    job::Answer answer = Ran();
    answer.foretold = claimed;
    if (claimed == 0) answer.found = {"/usr/include"};
    return answer;
  };
  auto outcome = Execute(action);
  ASSERT_TRUE(outcome) << outcome.error().Text();
  ASSERT_TRUE(outcome->lookups.report);
  EXPECT_FALSE(outcome->lookups.foretold);
  action.foretold = {store::Sha256("another"), *outcome->lookups.report};
  claimed = 2;
  outcome = Execute(action);
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(jobs_.back().foretold, action.foretold);
  EXPECT_EQ(outcome->lookups.foretold, action.foretold[1]);
  EXPECT_TRUE(outcome->lookups.complete);
  EXPECT_FALSE(outcome->lookups.report);
  claimed = 3;
  outcome = Execute(action);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().word, "answer");
}

TEST_F(FunctionExecutorTest, AnObjectThatNamesTheWorkersRootIsRefused) {
  answer_ = [this](const job::Job&) {
    job::Answer answer = Ran();
    answer.outputs = {{world_.Path("out.o"), 0644, std::string("x\0/w/root/src\0", 14)}};
    return answer;
  };
  const auto outcome = Execute(Simple());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().word, "outputs");
  EXPECT_EQ(outcome.error().detail, "root-in-output:out.o");
}

TEST_F(FunctionExecutorTest, SendsWhatTheStoreHadLostOnceMore) {
  world_.Write("big.h", std::string(200'000, 'x'));
  clock_.AdvanceNs(1'000'000);
  const Action action = world_.ActionOver({"big.h"}, walker_);
  answer_ = [this, lost = false](const job::Job& job) mutable {
    job::Answer answer = Ran();
    clock_.AdvanceNs(1'000'000);
    if (!lost) {
      lost = true;
      answer.outcome = job::Outcome::kMissingObjects;
      for (const auto& layer : job.view.layers) answer.missing.push_back(layer.key);
    }
    return answer;
  };
  const auto outcome = Execute(action);
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(function_.invocations, 2);
  EXPECT_EQ(execution_->charges.store_requests, 2u);
}

// A worker that may not read the store misses everything, and each try uploads it all.
TEST_F(FunctionExecutorTest, WhatIsMissedInVainIsNotSentForEveryJob) {
  answer_ = [](const job::Job& job) {
    job::Answer answer;
    answer.outcome = job::Outcome::kMissingObjects;
    for (const tree::LayerRef& layer : job.view.layers) answer.missing.push_back(layer.key);
    return answer;
  };
  FunctionExecutor executor(cloud_, sync_, *index_);
  const auto requests = [&] {
    jobs_.clear();
    execution_.emplace(Execution{
        .clock = clock_, .phases = phases_, .cancelled = cancelled_, .deadline_ns = deadline_ns_});
    const auto outcome = executor.Execute(Simple(), *execution_);
    EXPECT_FALSE(outcome);
    EXPECT_EQ(outcome ? "ran" : outcome.error().word, "store-keeps-losing-objects");
    return jobs_.size();
  };
  EXPECT_EQ(requests(), 4u);
  EXPECT_EQ(requests(), 1u);
  clock_.AdvanceNs(31'000'000'000);
  EXPECT_EQ(requests(), 4u);
}

TEST_F(FunctionExecutorTest, ALostWorkerIsTriedAgainWithinBounds) {
  answer_ = [](const job::Job&) -> Result<job::Answer> {
    return Error{Code::kUnavailable, "the worker died"};
  };
  const auto outcome = Execute(Simple());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().word, "invoke");
  // The inputs did not change: there is no sense in looking at them again.
  EXPECT_EQ(outcome.error().code, Code::kRemoteFailed);
  EXPECT_EQ(function_.invocations, 2);
  EXPECT_EQ(execution_->charges.retries, 1u);
}

TEST_F(FunctionExecutorTest, OneDeadlineHoldsForAllThatIsTried) {
  deadline_ns_ = clock_.MonotonicNs() + 10'000'000'000;
  answer_ = [this](const job::Job&) -> Result<job::Answer> {
    clock_.AdvanceNs(6'000'000'000);
    return Error{Code::kUnavailable, "the worker died"};
  };
  auto outcome = Execute(Simple());
  ASSERT_FALSE(outcome);
  ASSERT_EQ(timeouts_.size(), 2u);
  EXPECT_EQ(timeouts_[0], 10'000);
  EXPECT_EQ(timeouts_[1], 4'000);
  EXPECT_EQ(jobs_[1].timeout_ms, 4'000);
  // Its time is up before anything is tried.
  outcome = Execute(Simple());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kDeadline);
  EXPECT_EQ(function_.invocations, 2);
}

TEST_F(FunctionExecutorTest, AnInputThatChangedSinceTheScanIsLookedAtAgain) {
  world_.Write("big.h", std::string(200'000, 'x'));
  const Action action = world_.ActionOver({"big.h"}, walker_);
  world_.Write("big.h", std::string(200'000, 'y'));
  const auto outcome = Execute(action);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kUnavailable);
  EXPECT_EQ(function_.invocations, 0);
}

TEST_F(FunctionExecutorTest, AnOutageOrACancellationIsNotTried) {
  cloud_.outage = "S3 does not answer";
  EXPECT_EQ(Execute(Simple()).error().word, "cloud-unavailable");
  cloud_.outage.clear();
  cancelled_ = [] { return true; };
  EXPECT_EQ(Execute(Simple()).error().code, Code::kCancelled);
  EXPECT_EQ(function_.invocations, 0);
}

TEST_F(FunctionExecutorTest, SaysWhatTheViewHadBeyondTheClosure) {
  world_.Write("inc/a.h", std::string(200'000, 'x'));
  world_.Write("inc/b.h", "beside it");
  answer_ = [this](const job::Job&) {
    job::Answer answer = Ran();
    answer.found = {world_.Path("inc/a.h"), world_.Path("inc/b.h"), world_.Path("nowhere")};
    return answer;
  };
  const auto outcome = Execute(world_.ActionOver({"inc/a.h"}, walker_));
  ASSERT_TRUE(outcome) << outcome.error().Text();
  // b.h went along in a.h's layer; nobody has the other.
  ASSERT_EQ(outcome->lookups.shown.size(), 1u);
  EXPECT_EQ(outcome->lookups.shown.at(world_.Path("inc/b.h")).digest, store::Sha256("beside it"));
}

TEST(ActionDigest, ChangesWithAllThatDecidesTheResult) {
  FileWorld world;
  world.Write("a.c", "a");
  files::PathWalker walker(world.digests());
  const Action action = world.ActionOver({"a.c"}, walker);
  const std::vector<std::function<void(Action&)>> changes = {
      [](Action& a) { a.argv.push_back("-O2"); },
      [](Action& a) { a.env.push_back("LC_ALL=C"); },
      [](Action& a) { a.cwd = "/"; },
      [](Action& a) { a.umask = 077; },
      [](Action& a) { a.input = "x"; },
      [](Action& a) { a.program = "/usr/bin/cc"; },
      [](Action& a) { a.outputs.stems.push_back("b"); },
      [](Action& a) { a.outputs.suffixes.push_back(".su"); },
      [](Action& a) { a.standing.push_back("/a.o"); },
      [](Action& a) {
        auto closure = std::make_shared<Closure>(*a.closure);
        closure->own.begin()->second.digest.bytes[0] ^= 1;
        a.closure = std::move(closure);
      },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    Action other = action;
    changes[i](other);
    EXPECT_NE(other.Digest(), action.Digest()) << i;
  }
  Action same = action;
  same.timeout_ms = 7;
  EXPECT_EQ(same.Digest(), action.Digest());
}

}  // namespace
}  // namespace llama::execute
