// The upper rung of a compile's scan: by what the files say, on a live tree.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "daemon/jobs/closure_cache.h"
#include "daemon/jobs/compile_job.h"
#include "daemon/jobs/compile_scan.h"
#include "execute/testing.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using execute::Action;
using execute::OrReason;
using execute::Outcome;

// The rung below. Says what it is told, and that it was asked.
class LowerRung final : public scan::InputFinder {
 public:
  Result<scan::Inputs> Find(const scan::ScanRequest&) override {
    ++scans;
    return scan::Inputs{"cc-M", {"a.c", "a.h"}};
  }
  int scans = 0;
};

class FakeExecutor final : public execute::Executor {
 public:
  execute::Abilities abilities() const override { return {.records_lookups = true}; }
  OrReason<Outcome> Execute(const Action& action, execute::Execution&) override {
    actions.push_back(action);
    return run(action);
  }
  std::vector<Action> actions;
  std::function<OrReason<Outcome>(const Action&)> run;
};

class LiveScanTest : public testing::Test {
 protected:
  LiveScanTest() {
    world_.Write("cc", "a compiler");
    world_.Write("a.c", "#include <a.h>\n");
    world_.Write("two/a.h", "int two;\n");
    toolchain_.driver = world_.Path("cc");
    toolchain_.major = 12;
    toolchain_.files = {world_.Path("cc")};
    toolchain_.can_preload = true;
    toolchains_ = compiler::Toolchains::Create(
        SystemClock(),
        [this](const std::string&, const std::vector<std::string>&,
               compiler::Toolchain&) -> Result<compiler::Toolchain> { return toolchain_; });
    executor_.run = [this](const Action& action) -> OrReason<Outcome> {
      return Compiled(action.closure->own.contains(world_.Path("one/a.h")) ? "one" : "two");
    };
    services_.clock = &SystemClock();
    services_.file_system = &world_.file_system();
    services_.builds = &builds_;
    services_.toolchains = toolchains_.get();
    services_.unrecorded = &unrecorded_;
    services_.toolchain_trees = &trees_;
    services_.programs = &programs_;
    services_.finder = &lower_;
    services_.search_paths = &search_paths_;
    services_.closures = &closures_;
    services_.closure_cache = &closure_cache_;
    services_.digests = &world_.digests();
    services_.executors = &executors_;
    services_.cpu = &cpu_;
    request_.compiler = world_.Path("cc");
    request_.argv = {"cc", "-Ione", "-Itwo", "-c", "a.c", "-o", "out.o"};
    request_.cwd = world_.root();
    request_.start_ns = SystemClock().NowNs();
    request_.start_monotonic_ns = SystemClock().MonotonicNs();
  }
  Outcome Compiled(const std::string& object) const {
    Outcome outcome;
    outcome.lookups.complete = true;
    outcome.files = {{world_.Path("out.o"), 0644, object}};
    return outcome;
  }
  // Empty: it was not to run here.
  std::string WhyHere() {
    const auto job = NewCompileJob(services_, request_, SystemClock().MonotonicNs());
    const Verdict verdict = job->Run([] { return false; });
    job->Finished(std::nullopt, SystemClock().MonotonicNs());
    const auto* here = std::get_if<RunHere>(&verdict);
    return here == nullptr ? "" : here->reason;
  }
  OrReason<ScannedCompile> Scan(trace::Span& span) {
    trace::Span root;
    auto parsed = ParseCompile(request_, *toolchains_, root);
    EXPECT_TRUE(parsed) << parsed.error().Text();
    const auto plan = PlanCompile(request_, *parsed, *toolchains_);
    EXPECT_TRUE(plan) << plan.error().Text();
    return ScanCompile({&request_, &*parsed, &*plan, &services_, nullptr}, span);
  }
  std::string Object() const { return ReadFile(world_.Path("out.o")).value(); }

  execute::FileWorld world_;
  TempDir state_ = TempDir::Create("live-scan-test").value();
  Builds builds_{state_.path() + "/builds", SystemClock(), false};
  compiler::Toolchain toolchain_;
  std::unique_ptr<compiler::Toolchains> toolchains_;
  compiler::UnrecordedToolchains unrecorded_{SystemClock()};
  execute::ToolchainTrees trees_{world_.digests()};
  ProgramTrees programs_{world_.digests(), SystemClock()};
  admission::CpuAdmission cpu_{{.cores = 1}};
  LowerRung lower_;
  bool driver_answers_ = true;
  scan::SearchPaths search_paths_{LocalFileSystem(), SystemClock(),
                                  [this](const ProcessOptions&) -> Result<ProcessResult> {
                                    if (!driver_answers_) {
                                      return Error{Code::kInvalid, "no answer"};
                                    }
                                    ProcessResult result;
                                    result.err =
                                        "#include \"...\" search starts here:\n"
                                        "#include <...> search starts here:\n"
                                        "End of search list.\n";
                                    return result;
                                  }};
  files::LiveTree tree_{world_.digests(), SystemClock()};
  scan::Closures closures_{tree_};
  ClosureCache closure_cache_;
  FakeExecutor executor_;
  BuildExecutors executors_{executor_, SystemClock()};
  Services services_;
  session::Compile request_;
};

TEST_F(LiveScanTest, FindsTheInputsWithoutTheCompiler) {
  trace::Span span;
  const auto scanned = Scan(span);
  ASSERT_TRUE(scanned) << scanned.error().Text();
  EXPECT_EQ(lower_.scans, 0);
  EXPECT_EQ(scanned->rung, "superset");
  EXPECT_EQ(scanned->action.outputs.object, world_.Path("out.o"));
  const tree::Manifest& own = scanned->action.closure->own;
  EXPECT_EQ(own.at(world_.Path("two/a.h")).digest, store::Sha256("int two;\n"));
  EXPECT_EQ(own.at(world_.Path("two")).type, tree::EntryType::kDir);
  EXPECT_FALSE(own.contains(world_.Path("a.c")));
  EXPECT_FALSE(own.contains(world_.Path("cc")));
  EXPECT_TRUE(scanned->action.TravelsWith(world_.Path("a.c")));
}

TEST_F(LiveScanTest, CompilesOfTheSameFilesShareAClosure) {
  EXPECT_EQ(WhyHere(), "");
  EXPECT_EQ(WhyHere(), "");
  ASSERT_EQ(executor_.actions.size(), 2u);
  EXPECT_EQ(executor_.actions[0].closure, executor_.actions[1].closure);
  EXPECT_NE(executor_.actions[0].closure->id, 0u);
  world_.Write("two/a.h", "int other;\n");
  EXPECT_EQ(WhyHere(), "");
  EXPECT_NE(executor_.actions[2].closure->id, executor_.actions[0].closure->id);
}

TEST_F(LiveScanTest, AHeaderThatComesToShadowWhileTheJobWaitsCounts) {
  executor_.run = [this](const Action& action) -> OrReason<Outcome> {
    const bool has_one = action.closure->own.contains(world_.Path("one/a.h"));
    if (!has_one) world_.Write("one/a.h", "int one;\n");
    return Compiled(has_one ? "one" : "two");
  };
  EXPECT_EQ(WhyHere(), "");
  EXPECT_EQ(Object(), "one");
  EXPECT_EQ(executor_.actions.size(), 2u);
}

TEST_F(LiveScanTest, AnEditWhileTheJobWaitsIsCompiled) {
  executor_.run = [this](const Action& action) -> OrReason<Outcome> {
    const store::Digest& seen = action.closure->own.at(world_.Path("two/a.h")).digest;
    const bool is_old = seen == store::Sha256("int two;\n");
    if (is_old) world_.Write("two/a.h", "int new_;\n");
    return Compiled(is_old ? "old" : "new");
  };
  EXPECT_EQ(WhyHere(), "");
  EXPECT_EQ(Object(), "new");
}

TEST_F(LiveScanTest, AnEditOfTheSourceWhileTheJobWaitsIsCompiled) {
  executor_.run = [this](const Action& action) -> OrReason<Outcome> {
    const bool is_old = action.inline_files.at(0).bytes == "#include <a.h>\n";
    if (is_old) world_.Write("a.c", "#include <a.h>\nint more;\n");
    return Compiled(is_old ? "old" : "new");
  };
  EXPECT_EQ(WhyHere(), "");
  EXPECT_EQ(Object(), "new");
}

TEST_F(LiveScanTest, WhatItCannotDecideIsTheRungBelows) {
  driver_answers_ = false;
  world_.Write("a.h", "int a;\n");
  trace::Span span;
  const auto scanned = Scan(span);
  ASSERT_TRUE(scanned) << scanned.error().Text();
  EXPECT_EQ(lower_.scans, 1);
  EXPECT_EQ(scanned->rung, "cc-M");
  const trace::Value* reason = span.Find(trace::field::kRungReason);
  ASSERT_NE(reason, nullptr);
  EXPECT_FALSE(scanned->action.closure->first_change);
}

TEST_F(LiveScanTest, AMissingOutputFolderIsForTheLocalCompiler) {
  request_.argv.back() = "none/out.o";
  EXPECT_EQ(WhyHere().substr(0, 7), "output:");
}

}  // namespace
}  // namespace llama::daemon
