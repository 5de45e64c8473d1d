#include "worker/run/job_runner.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "base/file.h"
#include "worker/run/shipped_programs_testing.h"

namespace llama::worker {
namespace {

class JobRunnerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    store_ = store::NewMemoryStore().release();
    layer_ = new tree::LayerRef(
        Ship(*store_, {"/bin/sh", "/bin/cat", "/bin/ln", "/bin/rm", "/bin/sleep", "/bin/mkdir"}));
  }
  static void TearDownTestSuite() {
    delete layer_;
    delete store_;
  }

  void SetUp() override {
    dir_ = std::make_unique<TempDir>(std::move(TempDir::Create("run")).value());
    options_.dir = dir_->path() + "/worker";
    Open();
  }

  void Open() {
    Result<std::unique_ptr<JobRunner>> runner = JobRunner::Open(options_, *store_, SystemClock());
    ASSERT_TRUE(runner) << runner.error().message;
    runner_ = std::move(runner).value();
  }

  job::Job Script(const std::string& script) const { return ShellJob(*layer_, script); }

  job::Answer Run(const job::Job& job, RunLimits limits = {}) {
    if (limits.received_ns == 0) limits.received_ns = SystemClock().MonotonicNs();
    Result<std::string> encoded = runner_->Run(job::EncodeJob(job), limits);
    EXPECT_TRUE(encoded);
    Result<job::Answer> answer = job::DecodeAnswer(*encoded);
    EXPECT_TRUE(answer);
    return std::move(answer).value();
  }

  static store::ObjectStore* store_;
  static tree::LayerRef* layer_;
  std::unique_ptr<TempDir> dir_;
  RunnerOptions options_;
  std::unique_ptr<JobRunner> runner_;
};

store::ObjectStore* JobRunnerTest::store_ = nullptr;
tree::LayerRef* JobRunnerTest::layer_ = nullptr;

TEST_F(JobRunnerTest, RunsACommandAndReturnsAllThatItMade) {
  const job::Answer answer =
      Run(Script("echo to stdout; echo to stderr >&2; printf object > a.o; umask 077; : > empty; "
                 "exit 3"));
  ASSERT_EQ(answer.outcome, job::Outcome::kRan) << answer.error;
  EXPECT_EQ(WEXITSTATUS(answer.status), 3);
  EXPECT_EQ(answer.out, "to stdout\n");
  EXPECT_EQ(answer.err, "to stderr\n");
  ASSERT_EQ(answer.outputs.size(), 2u);
  EXPECT_EQ(answer.outputs[0].path, "/job/a.o");
  EXPECT_EQ(answer.outputs[0].bytes, "object");
  EXPECT_EQ(answer.outputs[0].mode, 0644u);
  EXPECT_EQ(answer.outputs[1].path, "/job/empty");
  EXPECT_EQ(answer.outputs[1].mode, 0600u);
  EXPECT_GT(answer.usage.wall_ns, 0);
  EXPECT_GT(answer.usage.max_rss_bytes, 0);
  EXPECT_EQ(answer.fetched_objects, 1u);
  EXPECT_TRUE(answer.worker.cold_start);
  EXPECT_EQ(answer.worker.job_count, 1u);
}

TEST_F(JobRunnerTest, NothingOfOneJobIsSeenByTheNext) {
  Run(Script("echo x > made; echo x > $TMPDIR/temporary"));
  const job::Answer second = Run(Script("echo *; echo $TMPDIR/*; echo $LEFT"));
  EXPECT_EQ(second.out.substr(0, 2), "*\n");
  EXPECT_EQ(second.out.find("temporary"), std::string::npos);
  EXPECT_TRUE(second.outputs.empty());
  EXPECT_FALSE(second.worker.cold_start);
  EXPECT_EQ(second.worker.job_count, 2u);
  EXPECT_EQ(second.fetched_objects, 0u);
}

TEST_F(JobRunnerTest, ACompilerHasItsScratchFilesWhereItWouldHaveThemAtHome) {
  job::Job job = Script("echo ${TMPDIR-none}");
  const std::string root(1, kRootMark);
  job.env.push_back("LLAMA_LOOKUP_ROOT=" + root);
  EXPECT_EQ(Run(job).out, "none\n");
  job.argv.back() = "echo ${TMPDIR-none}; [ -d $LLAMA_LOOKUP_ROOT$TMPDIR ] || echo missing";
  job.env.emplace_back("TMPDIR=/of/my/own");
  EXPECT_EQ(Run(job).out, "/of/my/own\n");
  job.any_command = true;
  EXPECT_NE(Run(job).out.find("/worker/tmp\n"), std::string::npos);
}

// People remove the state folder to begin anew, the worker's in it.
TEST_F(JobRunnerTest, LosesTheJobIfItsFolderIsGone) {
  ASSERT_EQ(Run(Script("true")).outcome, job::Outcome::kRan);
  runner_->Recover();
  EXPECT_FALSE(runner_->has_lost_job());
  ASSERT_TRUE(RemoveTree(options_.dir));
  job::Job job = Script("true");
  job.view.files = {{"/job/a.c", false, "source"}};
  EXPECT_EQ(Run(job).outcome, job::Outcome::kFailed);
  EXPECT_TRUE(runner_->has_lost_job()) << "another worker can run it";
}

TEST_F(JobRunnerTest, KeepsAJobThatCannotBeDone) {
  ASSERT_EQ(Run(Script("true")).outcome, job::Outcome::kRan);
  job::Job job = Script("true");
  job.output_dirs = {"not/canonical"};
  EXPECT_EQ(Run(job).outcome, job::Outcome::kFailed);
  EXPECT_FALSE(runner_->has_lost_job());
  EXPECT_EQ(Run(Script("echo x")).out, "x\n");
}

TEST_F(JobRunnerTest, PutsTheRootWhereTheMarkStands) {
  const std::string mark(1, kRootMark);
  job::Job job = Script("echo \"$1|$VALUE\"; pwd");
  job.argv.insert(job.argv.end(), {"sh", mark + "/a:" + mark + "/b"});
  job.env.push_back("VALUE=-I" + mark + "/include");
  job.cwd = mark + "/job";
  const job::Answer answer = Run(job);
  EXPECT_EQ(answer.out, answer.root + "/a:" + answer.root + "/b|-I" + answer.root + "/include\n" +
                            answer.root + "/job\n");
}

TEST_F(JobRunnerTest, FilesOfTheJobAreNoOutputsUnlessChanged) {
  job::Job job = Script("cat a.c; rm -f b.c; echo new > b.c");
  job.view.files = {{"/job/a.c", false, "source"}, {"/job/b.c", false, "old"}};
  const job::Answer answer = Run(job);
  EXPECT_EQ(answer.out, "source");
  ASSERT_EQ(answer.outputs.size(), 1u);
  EXPECT_EQ(answer.outputs[0].path, "/job/b.c");
  EXPECT_EQ(answer.outputs[0].bytes, "new\n");
  // The next job sees its own files again, not what became of them.
  EXPECT_EQ(Run([&] {
              job::Job again = job;
              again.argv[2] = "cat b.c";
              return again;
            }())
                .out,
            "old");
}

struct PlaceholderCase {
  const char* script;
  bool is_output;
  bool is_deleted;
};

TEST_F(JobRunnerTest, PlaceholdersShowWhatWasDoneToThem) {
  const PlaceholderCase kCases[] = {
      {":", false, false},           {"rm old", false, true},
      {": > old", true, false},      {"rm old; : > old", true, false},
      {"echo x > old", true, false}, {"cat old", false, false},
  };
  for (const PlaceholderCase& c : kCases) {
    job::Job job = Script(c.script);
    job.placeholders = {"/job/old"};
    const job::Answer answer = Run(job);
    ASSERT_EQ(answer.outcome, job::Outcome::kRan) << answer.error;
    EXPECT_EQ(answer.outputs.size() == 1, c.is_output) << c.script;
    EXPECT_EQ(Has(answer.deleted, "/job/old"), c.is_deleted) << c.script;
  }
}

TEST_F(JobRunnerTest, FollowsNoLinkAndReturnsNoneOfIt) {
  const job::Answer answer =
      Run(Script("ln -s /etc/passwd link; mkdir sub; echo x > sub/y; echo z > plain"));
  ASSERT_EQ(answer.outputs.size(), 2u);
  EXPECT_EQ(answer.outputs[0].path, "/job/plain");
  EXPECT_EQ(answer.outputs[1].path, "/job/sub/y");
  EXPECT_EQ(answer.outputs[1].bytes, "");
}

// So that it is not lost without a word: nobody announced it.
TEST_F(JobRunnerTest, WhatIsWrittenElsewhereIsTold) {
  const auto made = [&](const std::string& script) {
    std::vector<std::string> paths;
    for (const job::OutputFile& file : Run(Script(script)).outputs) paths.push_back(file.path);
    return paths;
  };
  using Paths = std::vector<std::string>;
  EXPECT_EQ(made("mkdir ../other; echo x > ../other/f; echo y > here"),
            (Paths{"/job/../other/f", "/job/here"}));
  EXPECT_EQ(made("ln -s ../job me; echo y > me/here; echo z > ../job/there"),
            (Paths{"/job/here", "/job/there"}));
  EXPECT_EQ(made("mkdir sub; echo x > sub/f; rm sub/f; echo y > here"), Paths{"/job/here"});
  EXPECT_EQ(made("echo x > missing/f; echo y > here"), (Paths{"/job/here", "/job/missing/f"}));
  EXPECT_EQ(made("echo x > /dev/null; cat /dev/null"), Paths());
}

TEST_F(JobRunnerTest, RecordsWhatWasLookedUp) {
  job::Job job = Script("cat in; cat gone; echo x > out; cat out");
  job.view.files = {{"/job/in", false, "x"}};
  const job::Answer answer = Run(job);
  EXPECT_TRUE(answer.lookups_complete);
  EXPECT_TRUE(Has(answer.found, "/job/in"));
  EXPECT_TRUE(Has(answer.absent, "/job/gone"));
  EXPECT_FALSE(Has(answer.found, "/job/out"));
  job.record_reads = false;
  const job::Answer unrecorded = Run(job);
  EXPECT_FALSE(unrecorded.lookups_complete);
  EXPECT_TRUE(unrecorded.found.empty());
}

TEST_F(JobRunnerTest, ALoopOfLinksIsNoAbsence) {
  job::Job job = Script("cat loop/x");
  tree::Entry link;
  link.type = tree::EntryType::kSymlink;
  link.target = "loop";
  job.view.extra["/job/loop"] = link;
  EXPECT_TRUE(Has(Run(job).found, "/job/loop/x"));
}

TEST_F(JobRunnerTest, WhatItMadeAnewIsALookupIfItStoodThere) {
  job::Job job = Script("cat in; rm -f in; echo y > in; cat made; echo x > made; cat made");
  job.view.files = {{"/job/in", false, "x"}};
  const job::Answer answer = Run(job);
  ASSERT_EQ(answer.outputs.size(), 2u);
  EXPECT_TRUE(Has(answer.found, "/job/in")) << "it may be another job's";
  EXPECT_FALSE(Has(answer.found, "/job/made"));
}

TEST_F(JobRunnerTest, DoesNotReportWhatWasForetold) {
  job::Job job = Script("cat in; cat gone; echo x > out");
  job.view.files = {{"/job/in", false, "x"}};
  const job::Answer told = Run(job);
  ASSERT_TRUE(told.report);
  job.foretold = {store::Sha256("another"), *told.report};
  const job::Answer untold = Run(job);
  EXPECT_EQ(untold.foretold, 2u);
  EXPECT_TRUE(untold.lookups_complete);
  EXPECT_TRUE(untold.found.empty() && untold.absent.empty());
  EXPECT_EQ(untold.outputs.size(), 1u);
  job.argv.back() = "cat in; cat gone; cat more; echo x > out";
  const job::Answer other = Run(job);
  EXPECT_EQ(other.foretold, 0u);
  EXPECT_TRUE(Has(other.absent, "/job/more"));
  EXPECT_NE(other.report, told.report);
}

TEST_F(JobRunnerTest, SaysWhichObjectsAreMissing) {
  job::Job job = Script(":");
  const std::string key = "layers/" + std::string(64, 'a');
  job.view.layers.push_back({key, 100});
  const job::Answer answer = Run(job);
  EXPECT_EQ(answer.outcome, job::Outcome::kMissingObjects);
  EXPECT_EQ(answer.missing, std::vector<std::string>{key});
  EXPECT_FALSE(answer.spans.empty());
  EXPECT_EQ(Run(Script("echo fine")).out, "fine\n");
}

TEST_F(JobRunnerTest, ACommandThatTakesTooLongIsKilled) {
  job::Job job = Script("sleep 1000");
  job.timeout_ms = 100;
  const job::Answer answer = Run(job);
  EXPECT_EQ(answer.outcome, job::Outcome::kFailed);
  EXPECT_NE(answer.error.find("no end after 100 ms"), std::string::npos) << answer.error;
  RunLimits limits;
  limits.deadline_ms = SystemClock().NowNs() / 1'000'000 + 300;
  EXPECT_EQ(Run(Script("sleep 1000"), limits).outcome, job::Outcome::kFailed);
  EXPECT_LT(SystemClock().NowNs() / 1'000'000, limits.deadline_ms + 5000);
}

TEST_F(JobRunnerTest, AnAbortedCommandIsKilled) {
  RunLimits limits;
  limits.should_abort = [] { return true; };
  EXPECT_EQ(Run(Script("sleep 1000"), limits).outcome, job::Outcome::kFailed);
}

TEST_F(JobRunnerTest, LeavesNoProcessBehind) {
  // The child gives its pid and closes what would keep the run waiting for it.
  const job::Answer answer = Run(Script("sleep 1000 > /dev/null 2>&1 & echo $!"));
  ASSERT_EQ(answer.outcome, job::Outcome::kRan) << answer.error;
  const Result<std::string> stat =
      ReadFile("/proc/" + answer.out.substr(0, answer.out.find('\n')) + "/stat");
  EXPECT_TRUE(!stat || stat->find(") Z ") != std::string::npos) << *stat;
}

TEST_F(JobRunnerTest, TheSignalThatKilledACommandIsItsStatus) {
  const job::Answer answer = Run(Script("kill -SEGV $$"));
  ASSERT_EQ(answer.outcome, job::Outcome::kRan);
  EXPECT_TRUE(WIFSIGNALED(answer.status));
  EXPECT_EQ(WTERMSIG(answer.status), SIGSEGV);
}

TEST_F(JobRunnerTest, AnAnswerBeyondTheLimitIsAFailure) {
  job::Job job = Script("i=0; while [ $i -lt 3000 ]; do echo $i$i$i$i; i=$((i+1)); done");
  job.max_answer_bytes = 2000;
  const job::Answer answer = Run(job);
  EXPECT_EQ(answer.outcome, job::Outcome::kFailed);
  EXPECT_NE(answer.error.find("answer too large"), std::string::npos);
  EXPECT_TRUE(answer.out.empty());
}

TEST_F(JobRunnerTest, OddJobsAreAnsweredAndTheNextOneRuns) {
  const std::pair<const char*, void (*)(job::Job&)> kCases[] = {
      {"no arguments", [](job::Job& j) { j.argv.clear(); }},
      {"no program", [](job::Job& j) { j.program = "/bin/nothing"; }},
      {"program above", [](job::Job& j) { j.program = "/../../../bin/sh"; }},
      {"program is a directory", [](job::Job& j) { j.program = "/usr"; }},
      {"relative cwd", [](job::Job& j) { j.cwd = "work"; }},
      {"cwd is a file", [](job::Job& j) { j.cwd = j.program; }},
      {"output directory above", [](job::Job& j) { j.output_dirs = {"/job/../../.."}; }},
      {"output directory is a file", [](job::Job& j) { j.output_dirs = {j.program}; }},
      {"placeholder nowhere", [](job::Job& j) { j.placeholders = {"/not/there"}; }},
      {"inode not canonical",
       [](job::Job& j) {
         j.inodes = {{"/a/../b", 1, 1}};
       }},
      {"inodes out of order",
       [](job::Job& j) {
         j.inodes = {{"/b", 1, 1}, {"/a", 1, 2}};
       }},
      {"placeholder above", [](job::Job& j) { j.placeholders = {"/../x"}; }},
      {"file above",
       [](job::Job& j) {
         j.view.files = {{"/../../x", false, "x"}};
       }},
      {"link above",
       [](job::Job& j) {
         j.view.extra["/../../x"] = {tree::EntryType::kSymlink, false, 0, {}, "y"};
       }},
      {"no layers", [](job::Job& j) { j.view.layers.clear(); }},
      {"bad layer key",
       [](job::Job& j) {
         j.view.layers = {{"../../etc/passwd", 1}};
       }},
      {"the shell is text",
       [](job::Job& j) {
         j.view.files = {{j.program, true, "no program at all"}};
       }},
  };
  for (const auto& [name, change] : kCases) {
    job::Job job = Script("echo ran");
    change(job);
    const job::Answer answer = Run(job);
    EXPECT_NE(answer.outcome, job::Outcome::kRan) << name;
    EXPECT_FALSE(answer.error.empty() && answer.missing.empty()) << name;
    EXPECT_EQ(Run(Script("echo ran")).out, "ran\n") << name;
  }
  EXPECT_FALSE(runner_->Run("not a job", {}));
}

TEST_F(JobRunnerTest, PhasesCoverTheJobWithoutGapOrOverlap) {
  RunLimits limits;
  const int64_t before_ns = SystemClock().NowNs();
  limits.received_ns = SystemClock().MonotonicNs();
  const job::Job job = Script(":");
  const job::Answer answer = Run(job, limits);
  const std::vector<trace::Span>& spans = answer.spans;
  ASSERT_EQ(spans.size(), 5u);
  EXPECT_EQ(spans[0].name, "worker");
  EXPECT_EQ(spans[0].trace_id, job.parent.trace_id);
  EXPECT_EQ(spans[0].parent_id, job.parent.span_id);
  EXPECT_LT(std::abs(spans[0].start_ns - before_ns), 1'000'000'000);
  const char* const kNames[] = {"receive", "materialise", "exec", "collect"};
  int64_t end_ns = spans[0].start_ns;
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(spans[i + 1].name, kNames[i]);
    EXPECT_EQ(spans[i + 1].parent_id, spans[0].span_id);
    EXPECT_EQ(spans[i + 1].start_ns, end_ns);
    end_ns = spans[i + 1].end_ns();
  }
  EXPECT_EQ(end_ns, spans[0].end_ns());
  EXPECT_NE(spans[3].Find("exit_status"), nullptr);
  EXPECT_NE(spans[0].Find("worker_id"), nullptr);
}

TEST_F(JobRunnerTest, RemovesItsFolder) {
  Run(Script("mkdir deep; echo x > deep/y"));
  runner_.reset();
  EXPECT_NE(access(options_.dir.c_str(), F_OK), 0);
}

TEST_F(JobRunnerTest, WorksInAFolderWithSpacesAndALongName) {
  options_.dir = dir_->path() + "/a folder with spaces/and a name that is longer than most are";
  Open();
  const job::Answer answer = Run(Script("cat nothing; pwd > out"));
  ASSERT_EQ(answer.outcome, job::Outcome::kRan) << answer.error;
  EXPECT_EQ(answer.err, "cat: nothing: No such file or directory\n");
  EXPECT_TRUE(answer.lookups_complete);
  EXPECT_TRUE(Has(answer.absent, "/job/nothing"));
}

}  // namespace
}  // namespace llama::worker
