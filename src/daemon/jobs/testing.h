// For tests of a compile's job: a folder of files, a toolchain of one of them, and all else that a
// job stands on but for the rungs of its scan and its executor.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "daemon/jobs/build_executors.h"
#include "daemon/jobs/compile_job.h"
#include "daemon/jobs/compile_parse.h"
#include "daemon/jobs/compile_scan.h"
#include "daemon/jobs/job_tally.h"
#include "daemon/jobs/services.h"
#include "execute/testing.h"

namespace llama::daemon {

class JobWorld {
 public:
  // The compiler is `dir`/cc, and compiles there. Both outlive the world.
  JobWorld(const std::string& dir, scan::InputFinder& finder, execute::Executor& executor)
      : dir_(dir), executors_(executor, SystemClock()) {
    files_.Write(Name("cc"), "a compiler");
    toolchain_.driver = Path("cc");
    toolchain_.major = 12;
    toolchain_.files = {Path("cc")};
    toolchain_.can_preload = true;
    toolchains_ =
        compiler::Toolchains::Create(SystemClock(),
                                     [this](const std::string&, const std::vector<std::string>&,
                                            compiler::Toolchain&) -> Result<compiler::Toolchain> {
                                       if (!toolchain_error_.empty())
                                         return Error{Code::kInvalid, toolchain_error_};
                                       return toolchain_;
                                     });
    services_.clock = &SystemClock();
    services_.file_system = &files_.file_system();
    services_.builds = &builds_;
    services_.tally = &tally_;
    services_.toolchains = toolchains_.get();
    services_.unrecorded = &unrecorded_;
    services_.toolchain_trees = &trees_;
    services_.programs = &programs_;
    services_.finder = &finder;
    services_.digests = &files_.digests();
    services_.executors = &executors_;
    services_.cpu = &cpu_;
    request_.compiler = Path("cc");
    request_.argv = {"cc", "-O2", "-c", "a.c", "-o", "out.o"};
    request_.cwd = files_.Path(dir_);
    request_.start_ns = SystemClock().NowNs();
    request_.start_monotonic_ns = SystemClock().MonotonicNs();
  }

  void Write(const std::string& name, const std::string& bytes) { files_.Write(Name(name), bytes); }
  std::string Path(const std::string& name) const { return files_.Path(Name(name)); }
  execute::FileWorld& files() { return files_; }
  compiler::Toolchain& toolchain() { return toolchain_; }
  // Not empty: why no toolchain is found.
  std::string& toolchain_error() { return toolchain_error_; }
  Services& services() { return services_; }
  // "outcome reason count", a line each.
  std::string Tallied() const {
    Metrics metrics;
    tally_.Fill(metrics);
    std::string text;
    for (const EndedJobs& jobs : metrics.ended) {
      text += jobs.outcome + " " + jobs.reason + " " + std::to_string(jobs.count) + "\n";
    }
    return text;
  }
  session::Compile& request() { return request_; }

  Verdict Run() {
    const auto job = NewCompileJob(services_, request_, SystemClock().MonotonicNs());
    Verdict verdict = job->Run([] { return false; });
    job->Finished(std::nullopt, SystemClock().MonotonicNs());
    return verdict;
  }
  // Empty: it was not to run here.
  std::string WhyHere() {
    const Verdict verdict = Run();
    const auto* here = std::get_if<RunHere>(&verdict);
    return here == nullptr ? "" : here->reason;
  }
  execute::OrReason<ParsedCompile> Parse() {
    trace::Span root;
    return ParseCompile(request_, *toolchains_, root);
  }
  execute::OrReason<compiler::Plan> Plan(const ParsedCompile& parsed) {
    return PlanCompile(request_, parsed, *toolchains_);
  }
  execute::OrReason<ScannedCompile> Scan(trace::Span& span) {
    auto parsed = Parse();
    EXPECT_TRUE(parsed) << parsed.error().Text();
    const auto plan = Plan(*parsed);
    EXPECT_TRUE(plan) << plan.error().Text();
    return ScanCompile({&request_, &*parsed, &*plan, &services_, nullptr}, span);
  }
  // What out.o holds.
  std::string Object() const {
    const auto bytes = ReadFile(Path("out.o"));
    return bytes ? *bytes : "none";
  }

 private:
  std::string Name(const std::string& name) const {
    return dir_.empty() ? name : dir_ + "/" + name;
  }

  const std::string dir_;
  execute::FileWorld files_;
  TempDir state_ = TempDir::Create("jobs-test").value();
  JobTally tally_;
  Builds builds_{state_.path() + "/builds", SystemClock(), false};
  compiler::Toolchain toolchain_;
  std::string toolchain_error_;
  std::unique_ptr<compiler::Toolchains> toolchains_;
  compiler::UnrecordedToolchains unrecorded_{SystemClock()};
  execute::ToolchainTrees trees_{files_.digests()};
  ProgramTrees programs_{files_.digests(), SystemClock()};
  admission::CpuAdmission cpu_{{.cores = 1}};
  BuildExecutors executors_;
  Services services_;
  session::Compile request_;
};

// Answers as the test has it, and keeps what it was asked.
class FakeExecutor final : public execute::Executor {
 public:
  execute::Abilities abilities() const override { return {.records_lookups = true}; }
  execute::OrReason<execute::Outcome> Execute(const execute::Action& action,
                                              execute::Execution& execution) override {
    actions.push_back(action);
    return run(action, execution);
  }
  std::vector<execute::Action> actions;
  std::function<execute::OrReason<execute::Outcome>(const execute::Action&, execute::Execution&)>
      run;
};

}  // namespace llama::daemon
