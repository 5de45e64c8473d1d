// Commands of any kind under the job runner: announced outputs, stdin, absolute paths.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "worker/run/job_runner.h"
#include "worker/run/shipped_programs_testing.h"

namespace llama::worker {
namespace {

class AnyCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::NewMemoryStore();
    layer_ = Ship(*store_, {"/bin/sh", "/bin/cat", "/bin/ln", "/bin/mkdir", "/usr/bin/env"});
    options_.dir = dir_.path() + "/worker";
    runner_ = JobRunner::Open(options_, *store_, SystemClock()).value();
  }

  job::Job Script(const std::string& script) const {
    job::Job job = ShellJob(layer_, script);
    job.output_dirs.clear();
    job.any_command = true;
    job.env.push_back(std::string("LLAMA_LOOKUP_ROOT=") + kRootMark);
    return job;
  }

  job::Answer Run(const job::Job& job) {
    RunLimits limits;
    limits.received_ns = SystemClock().MonotonicNs();
    const auto encoded = runner_->Run(job::EncodeJob(job), limits);
    EXPECT_TRUE(encoded);
    auto answer = job::DecodeAnswer(*encoded);
    EXPECT_TRUE(answer);
    return *answer;
  }

  TempDir dir_ = TempDir::Create("any").value();
  std::unique_ptr<store::ObjectStore> store_;
  tree::LayerRef layer_;
  RunnerOptions options_;
  std::unique_ptr<JobRunner> runner_;
};

TEST_F(AnyCommandTest, TakesAnnouncedOutputsOnly) {
  job::Job job = Script(
      "echo 1 > a; echo 2 > b; mkdir d; echo 3 > d/c; mkdir t; echo 4 > t/x; "
      "ln -s x t/link; ln -s a l");
  job.outputs = {{"/job/a", false},
                 {"/job/d", false},
                 {"/job/t", true},
                 {"/job/l", false},
                 {"/job/missing", false}};
  const job::Answer answer = Run(job);
  ASSERT_EQ(answer.outcome, job::Outcome::kRan) << answer.error;
  ASSERT_EQ(answer.outputs.size(), 2u);
  EXPECT_EQ(answer.outputs[0].path, "/job/a");
  EXPECT_EQ(answer.outputs[1].path, "/job/t/x");
  EXPECT_EQ(answer.outputs[1].bytes, "4\n");
  EXPECT_TRUE(Has(answer.refused, "/job/d: a directory"));
  EXPECT_TRUE(Has(answer.refused, "/job/l: a symbolic link"));
  EXPECT_TRUE(Has(answer.refused, "/job/t/link: a symbolic link"));
}

// Whatever session it has put itself into; the answer's time is the last in which it can write.
TEST_F(AnyCommandTest, EndsWhatHasLeftItsGroup) {
  layer_ = Ship(*store_, {"/bin/sh", "/bin/sleep", "/usr/bin/setsid"});
  const job::Answer answer =
      Run(Script("setsid sh -c 'setsid sleep 1000 & echo $! > pid; sleep 1000' > /dev/null 2>&1 &\n"
                 "while [ ! -s pid ]; do sleep 0.01; done; read pid < pid; echo $pid"));
  ASSERT_EQ(answer.outcome, job::Outcome::kRan) << answer.error;
  const pid_t pid = std::atoi(answer.out.c_str());
  ASSERT_GT(pid, 1) << answer.err;
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_FALSE(runner_->is_spent());
}

TEST_F(AnyCommandTest, IsSpentWhenItsFoldersAreNotTheSame) {
  const job::Answer answer =
      Run(Script("cd /; r=$(pwd -P); mkdir -p x; cat /dev/null; echo $r > x/root"));
  ASSERT_EQ(answer.outcome, job::Outcome::kRan) << answer.error;
  runner_->Recover();
  EXPECT_FALSE(runner_->is_spent());
  ASSERT_EQ(Run(Script("true")).outcome, job::Outcome::kRan);
  ASSERT_EQ(rename((dir_.path() + "/worker/m/blobs").c_str(), (dir_.path() + "/was").c_str()), 0);
  runner_->Recover();
  EXPECT_TRUE(runner_->is_spent());
  EXPECT_EQ(Run(Script("true")).outcome, job::Outcome::kFailed);
}

TEST_F(AnyCommandTest, LeavesNothingForTheNextJob) {
  job::Job job = Script("echo 1 > a; mkdir sub; echo 2 > /usr/left; echo 3 > /new");
  Run(job);
  const job::Answer answer = Run(Script("cat a sub/x /usr/left /new 2>/dev/null; echo *"));
  EXPECT_EQ(answer.out, "*\n");
}

TEST_F(AnyCommandTest, LetsAnInputBeWrittenToIfItIsAnOutput) {
  job::Job job = Script("echo more >> both; cat both");
  job.view.files = {{"/job/both", false, "first\n"}};
  job.outputs = {{"/job/both", false}};
  job::Answer answer = Run(job);
  EXPECT_EQ(answer.out, "first\nmore\n") << answer.err;
  ASSERT_EQ(answer.outputs.size(), 1u);
  EXPECT_EQ(answer.outputs[0].bytes, "first\nmore\n");
  answer = Run(job);
  EXPECT_EQ(answer.out, "first\nmore\n") << "each job has its own";
}

TEST_F(AnyCommandTest, GivesStdinAndNothingWithoutOne) {
  job::Job job = Script("cat");
  job.input = std::string(200'000, 'x') + "end";
  EXPECT_EQ(Run(job).out, job.input);
  EXPECT_EQ(Run(Script("cat; echo done")).out, "done\n");
}

TEST_F(AnyCommandTest, LeadsAbsolutePathsBelowTheRoot) {
  job::Job job = Script("/bin/cat /job/data; /usr/bin/env cat /job/data; ./script");
  job.view.files = {{"/job/data", false, "d\n"},
                    {"/job/script", true, "#!/bin/sh\ncat /job/data\n"}};
  const job::Answer answer = Run(job);
  EXPECT_EQ(answer.out, "d\nd\nd\n") << answer.err;
  EXPECT_TRUE(Has(answer.found, "/job/data"));
}

TEST_F(AnyCommandTest, TellsOfProgramsThatWereNotThere) {
  const job::Answer answer = Run(Script("/no/such/program; env sort; exit 0"));
  EXPECT_TRUE(Has(answer.absent, "/no/such/program"));
  EXPECT_TRUE(Has(answer.absent, "/usr/bin/sort"));
}

TEST_F(AnyCommandTest, SaysThatTimeIsUp) {
  job::Job job = Script("while :; do :; done");
  job.timeout_ms = 100;
  const job::Answer answer = Run(job);
  EXPECT_EQ(answer.outcome, job::Outcome::kFailed);
  EXPECT_TRUE(answer.timed_out);
}

TEST_F(AnyCommandTest, FindsAProgramOfTheImage) {
  job::Job job = Script("");
  job.in_image = true;
  job.record_reads = false;
  job.env = {"A=b"};
  job.program = "sh";
  job.argv = {"sh", "-c", "echo $A"};
  EXPECT_EQ(Run(job).out, "b\n");
  job.program = "no-such-program";
  const job::Answer answer = Run(job);
  EXPECT_EQ(answer.outcome, job::Outcome::kFailed);
  EXPECT_NE(answer.error.find("image"), std::string::npos) << answer.error;
}

}  // namespace
}  // namespace llama::worker
