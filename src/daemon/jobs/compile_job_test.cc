// The steps of a compile, each with a world of its own: a folder of sources, a toolchain of one
// file, a finder that says what it is told, an executor that answers as the test has it.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/jobs/testing.h"

namespace llama::daemon {
namespace {

using execute::Action;
using execute::OrReason;
using execute::Outcome;
using execute::Reason;

class FakeFinder final : public scan::InputFinder {
 public:
  Result<scan::Inputs> Find(const scan::ScanRequest&) override {
    ++scans;
    if (error) return *error;
    return scan::Inputs{"fake", files};
  }
  std::vector<std::string> files;
  std::optional<Error> error;
  int scans = 0;
};

class CompileJobTest : public testing::Test {
 protected:
  CompileJobTest() {
    world_.Write("a.c", "#include \"a.h\"\n");
    world_.Write("a.h", "int old;\n");
    finder_.files = {"a.c", "a.h"};
    executor_.run = [this](const Action&, execute::Execution&) { return Compiled("object"); };
  }
  Outcome Compiled(const std::string& object) const {
    Outcome outcome;
    outcome.lookups.complete = true;
    outcome.lookups.found = {world_.Path("a.c"), world_.Path("a.h")};
    outcome.files = {{world_.Path("out.o"), 0644, object}};
    return outcome;
  }
  OrReason<ScannedCompile> Scan() {
    trace::Span span;
    return world_.Scan(span);
  }

  FakeFinder finder_;
  FakeExecutor executor_;
  JobWorld world_{"", finder_, executor_};
};

TEST_F(CompileJobTest, ParseSaysWhatIsNoCompileAndWhy) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"cc", "a.o", "-o", "a"}, "link"},
      {{"cc", "-E", "a.c"}, "preprocess"},
      {{"cc", "-c", "a.c", "b.c"}, "several-sources"},
  };
  for (const auto& [argv, word] : cases) {
    world_.request().argv = argv;
    const auto parsed = world_.Parse();
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().word, word);
  }
}

TEST_F(CompileJobTest, PlanNeedsAToolchainThatCanBeRecorded) {
  world_.toolchain().can_preload = false;
  EXPECT_EQ(world_.WhyHere(), "toolchain-unrecordable");
  EXPECT_TRUE(executor_.actions.empty());
}

TEST_F(CompileJobTest, ParsePassesOnWhyACompilerIsNotUnderstood) {
  world_.toolchain_error() = "no compiler";
  const auto parsed = world_.Parse();
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().word, "toolchain");
  EXPECT_NE(parsed.error().detail.find("no compiler"), std::string::npos);
}

TEST_F(CompileJobTest, ParseGoesByWhatTheCompilerIsNotByItsName) {
  world_.toolchain().is_cxx_driver = true;
  const auto parsed = world_.Parse();
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->command.language, compiler::Language::kCxx);
}

TEST_F(CompileJobTest, PlanNamesTheOutputs) {
  world_.request().argv = {"cc", "-c", "a.c", "-MD", "-o", "out.o"};
  const auto parsed = world_.Parse();
  ASSERT_TRUE(parsed) << parsed.error().Text();
  const auto plan = world_.Plan(*parsed);
  ASSERT_TRUE(plan) << plan.error().Text();
  EXPECT_EQ(plan->object, world_.Path("out.o"));
  EXPECT_EQ(plan->depfile, world_.Path("out.d"));
}

TEST_F(CompileJobTest, ScanMakesAnActionOfTheFilesAsTheyAre) {
  const auto scanned = Scan();
  ASSERT_TRUE(scanned) << scanned.error().Text();
  const Action& action = scanned->action;
  EXPECT_EQ(action.program, world_.Path("cc"));
  EXPECT_EQ(action.outputs.object, world_.Path("out.o"));
  const execute::Closure& closure = *action.closure;
  EXPECT_TRUE(closure.common->contains(world_.Path("cc")));
  ASSERT_TRUE(closure.own.contains(world_.Path("a.h")));
  EXPECT_EQ(closure.own.at(world_.Path("a.h")).digest, store::Sha256("int old;\n"));
  // The source travels with the job.
  EXPECT_FALSE(closure.own.contains(world_.Path("a.c")));
  ASSERT_EQ(action.inline_files.size(), 1u);
  EXPECT_EQ(action.inline_files[0].bytes, "#include \"a.h\"\n");
  EXPECT_TRUE(closure.stamps.contains(world_.Path("a.c")));
  EXPECT_TRUE(closure.stamps.contains(world_.Path("a.h")));
}

TEST_F(CompileJobTest, ScanSeesASourceThatChangesBeforeItIsRead) {
  const std::string source = world_.Path("a.c");
  ASSERT_TRUE(Scan());
  const int looks = world_.files().file_system().looks(source);
  // The last look of a scan reads the bytes that travel with the job.
  world_.files().file_system().Before(
      source, 2 * looks, [this] { world_.Write("a.c", "#include \"a.h\"\nint x;\n"); });
  const auto scanned = Scan();
  ASSERT_EQ(world_.files().file_system().looks(source), 2 * looks);
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().word, "inputs-changed");
  EXPECT_EQ(scanned.error().code, Code::kUnavailable) << "the job looks again";
}

TEST_F(CompileJobTest, ScanTakesTheFoldersThatAreSearchedAlong) {
  world_.Write("include/unused.h", "");
  world_.request().argv = {"cc", "-Iinclude", "-c", "a.c", "-o", "out.o"};
  const auto scanned = Scan();
  ASSERT_TRUE(scanned) << scanned.error().Text();
  const auto& own = scanned->action.closure->own;
  ASSERT_TRUE(own.contains(world_.Path("include")));
  EXPECT_EQ(own.at(world_.Path("include")).type, tree::EntryType::kDir);
  EXPECT_FALSE(own.contains(world_.Path("include/unused.h")));
}

TEST_F(CompileJobTest, ScanLeavesErrorsOfTheCodeToTheLocalCompiler) {
  finder_.error = Error{Code::kRemoteFailed, "a.c:1: no such file"};
  EXPECT_EQ(Scan().error().word, "preprocess-failed");
  finder_.error = Error{Code::kInternal, "fork"};
  EXPECT_EQ(Scan().error().word, "scan-failed");
}

TEST_F(CompileJobTest, WithoutAScanOfTheTextsEveryFilesTimeIsSent) {
  const auto scanned = Scan();
  ASSERT_TRUE(scanned) << scanned.error().Text();
  ASSERT_TRUE(scanned->action.inodes);
  std::string sent;
  for (const tree::Inode& inode : *scanned->action.inodes) {
    struct stat st {};
    ASSERT_EQ(stat(inode.path.c_str(), &st), 0);
    EXPECT_EQ(inode.mtime_ns, TimeNs(st.st_mtim));
    sent += std::string(BaseName(inode.path)) + " ";
  }
  EXPECT_EQ(sent, "a.c a.h ");
}

TEST_F(CompileJobTest, AFileThatCanBeReadButOnceIsNotRead) {
  ASSERT_EQ(mkfifo(world_.Path("pipe").c_str(), 0600), 0);
  for (const std::string& name : {world_.Path("pipe"), std::string("/dev/fd/63")}) {
    world_.request().argv = {"cc", "-include", name, "-c", "a.c", "-o", "out.o"};
    EXPECT_EQ(Scan().error().Text(), "special-file: " + name);
  }
}

TEST_F(CompileJobTest, WhatAnotherProcessWouldDoOtherwiseRunsThere) {
  session::Compile& request = world_.request();
  const session::Compile plain = request;
  request.file_namespace.mounts = 1;
  EXPECT_EQ(world_.WhyHere(), "other-file-system");
  request = plain;
  request.file_namespace.root.inode = 1;
  EXPECT_EQ(world_.WhyHere(), "other-file-system");
  request = plain;
  request.group = 1;
  EXPECT_EQ(world_.WhyHere(), "other-group");
  for (const size_t stream : {1u, 2u}) {
    request = plain;
    request.streams[stream].kind = session::StreamKind::kClosed;
    EXPECT_EQ(world_.WhyHere(), "closed-descriptor");
  }
  request = plain;
  request.streams[0].kind = session::StreamKind::kClosed;
  EXPECT_EQ(world_.WhyHere(), "");
}

TEST_F(CompileJobTest, ScanSeesAnOutputThatStandsThere) {
  world_.Write("out.o", "before");
  EXPECT_EQ(Scan()->action.standing, std::vector<std::string>{world_.Path("out.o")});
}

TEST_F(CompileJobTest, WhatAgreesIsWritten) {
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_EQ(world_.Object(), "object");
}

TEST_F(CompileJobTest, ACompilerThatCouldNotBeRecordedIsNotTriedAgainAtOnce) {
  executor_.run = [this](const Action&, execute::Execution&) -> OrReason<Outcome> {
    Outcome outcome = Compiled("object");
    outcome.lookups.complete = false;
    return outcome;
  };
  EXPECT_EQ(world_.WhyHere(), "lookups-unrecorded");
  EXPECT_NE(world_.WhyHere().find("as before"), std::string::npos);
  EXPECT_EQ(executor_.actions.size(), 1u);
}

TEST_F(CompileJobTest, AReasonOfTheExecutorsIsALocalRun) {
  executor_.run = [](const Action&, execute::Execution&) -> OrReason<Outcome> {
    return Reason{"invoke", "the worker died"};
  };
  EXPECT_EQ(world_.WhyHere(), "invoke: the worker died");
  EXPECT_EQ(world_.Object(), "none");
}

TEST_F(CompileJobTest, HowAJobEndedIsCounted) {
  world_.Run();
  executor_.run = [](const Action&, execute::Execution&) -> OrReason<Outcome> {
    return Reason{"sync", "the store refuses"};
  };
  world_.Run();  // its wrapper went away before it had a slot
  const int64_t now_ns = SystemClock().MonotonicNs();
  const auto job = NewCompileJob(world_.services(), world_.request(), now_ns);
  EXPECT_TRUE(std::holds_alternative<RunHere>(job->Run([] { return false; })));
  job->SlotGranted(now_ns);
  job->Finished(std::nullopt, now_ns);
  EXPECT_EQ(world_.Tallied(), "cancelled sync 1\nlocal sync 1\nremote  1\n");
}

TEST_F(CompileJobTest, AHeaderThatIsEditedWhileTheJobWaitsIsCompiledAsItIsThen) {
  executor_.run = [this](const Action& action, execute::Execution&) -> OrReason<Outcome> {
    const store::Digest& seen = action.closure->own.at(world_.Path("a.h")).digest;
    const bool is_old = seen == store::Sha256("int old;\n");
    if (is_old) world_.Write("a.h", "int new_;\n");
    return Compiled(is_old ? "old object" : "new object");
  };
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_EQ(world_.Object(), "new object");
  EXPECT_EQ(finder_.scans, 2);
}

TEST_F(CompileJobTest, AHeaderThatNeverRestsIsForTheLocalCompiler) {
  executor_.run = [this, n = 0](const Action&, execute::Execution&) mutable -> OrReason<Outcome> {
    world_.Write("a.h", "int x" + std::to_string(++n) + ";\n");
    return Compiled("stale");
  };
  EXPECT_EQ(world_.WhyHere(), "inputs-changed: " + world_.Path("a.h"));
  EXPECT_EQ(world_.Object(), "none");
  EXPECT_EQ(finder_.scans, 3);
}

TEST_F(CompileJobTest, WhatTheViewLackedIsSentAndTheJobRunsAgain) {
  world_.Write("b.h", "int b;\n");
  executor_.run = [this](const Action& action, execute::Execution&) -> OrReason<Outcome> {
    Outcome outcome = Compiled("object");
    const bool has_b = action.closure->own.contains(world_.Path("b.h"));
    (has_b ? outcome.lookups.found : outcome.lookups.absent).push_back(world_.Path("b.h"));
    return outcome;
  };
  EXPECT_EQ(world_.WhyHere(), "");
  ASSERT_EQ(executor_.actions.size(), 2u);
  EXPECT_EQ(finder_.scans, 1);
  EXPECT_EQ(world_.Object(), "object");
}

TEST_F(CompileJobTest, AWorkerThatAlwaysLacksSomethingIsGivenUp) {
  executor_.run = [this](const Action&, execute::Execution&) -> OrReason<Outcome> {
    const std::string name = "more" + std::to_string(executor_.actions.size()) + ".h";
    if (executor_.actions.size() > 20) return Reason{"endless", {}};
    world_.Write(name, "");
    Outcome outcome = Compiled("object");
    outcome.lookups.absent = {world_.Path(name)};
    return outcome;
  };
  EXPECT_EQ(world_.WhyHere().substr(0, 8), "lookups:");
  EXPECT_EQ(executor_.actions.size(), 9u);
}

TEST_F(CompileJobTest, WhatAWorkerNamesElsewhereIsNeitherSentNorLearned) {
  TempDir elsewhere = TempDir::Create("elsewhere").value();
  ASSERT_TRUE(WriteFileAtomic(elsewhere.path() + "/secret", "secret", 0600));
  executor_.run = [&](const Action&, execute::Execution&) -> OrReason<Outcome> {
    Outcome outcome = Compiled("object");
    outcome.lookups.absent = {elsewhere.path() + "/secret"};
    return outcome;
  };
  EXPECT_EQ(world_.WhyHere().substr(0, 14), "not-shippable:");
  EXPECT_EQ(executor_.actions.size(), 1u);
}

TEST_F(CompileJobTest, AMachinesFailureIsForTheLocalCompiler) {
  executor_.run = [this](const Action&, execute::Execution&) -> OrReason<Outcome> {
    Outcome outcome = Compiled("object");
    outcome.wait_status = 1 << 8;
    outcome.err = "cc: internal compiler error: Segmentation fault\n";
    return outcome;
  };
  EXPECT_EQ(world_.WhyHere(), "remote-compiler-failed");
}

TEST_F(CompileJobTest, AMissingHeaderIsTheCodesFaultUnlessAWorkerLostIt) {
  std::string missing;
  executor_.run = [&](const Action&, execute::Execution&) -> OrReason<Outcome> {
    Outcome outcome = Compiled("object");
    outcome.files.clear();
    outcome.wait_status = 1 << 8;
    outcome.err = "a.c:1:10: fatal error: " + missing + ": No such file or directory\n";
    return outcome;
  };
  missing = "none.h";
  EXPECT_EQ(world_.WhyHere(), "");
  missing = "a.h";
  EXPECT_EQ(world_.WhyHere(), "remote-compiler-failed");
}

TEST_F(CompileJobTest, AnUnannouncedFileIsForTheLocalCompiler) {
  executor_.run = [this](const Action&, execute::Execution&) -> OrReason<Outcome> {
    Outcome outcome = Compiled("object");
    outcome.files.push_back({"/etc/cron.d/x", 0644, "evil"});
    return outcome;
  };
  EXPECT_EQ(world_.WhyHere(), "outputs: unannounced-output:/etc/cron.d/x");
  EXPECT_EQ(world_.Object(), "none");
}

TEST_F(CompileJobTest, OneDeadlineHoldsForTheJobAsAWhole) {
  world_.services().job_timeout_ms = 5'000;
  executor_.run = [this](const Action&, execute::Execution& execution) -> OrReason<Outcome> {
    EXPECT_LE(execution.RemainingMs(900'000), 5'000);
    EXPECT_GT(execution.RemainingMs(900'000), 0);
    return Compiled("object");
  };
  EXPECT_EQ(world_.WhyHere(), "");
  // It is up before anything is done.
  world_.services().job_timeout_ms = 0;
  executor_.actions.clear();
  EXPECT_EQ(world_.WhyHere(), "deadline: the job's time was up");
  EXPECT_TRUE(executor_.actions.empty());
}

}  // namespace
}  // namespace llama::daemon
