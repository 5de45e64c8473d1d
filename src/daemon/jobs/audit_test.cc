#include "daemon/jobs/audit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <string>

#include "base/file.h"
#include "daemon/jobs/testing.h"

namespace llama::daemon {
namespace {

TEST(Audit, PicksTheShareThatIsAsked) {
  int picked = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string object = "/o/" + std::to_string(i) + ".o";
    EXPECT_FALSE(Auditor::Picks(0, "build", object));
    EXPECT_TRUE(Auditor::Picks(1, "build", object));
    picked += Auditor::Picks(0.1, "build", object) ? 1 : 0;
  }
  EXPECT_GT(picked, 800);
  EXPECT_LT(picked, 1200);
}

// A "compiler" that is a shell script.
class AuditTest : public testing::Test {
 protected:
  AuditTest() {
    services_.cpu = &cpu_;
    services_.file_system = &LocalFileSystem();
    request_.compiler = "/bin/sh";
    request_.argv = {"sh", "-c", "printf \"$WHAT\" > out.o; echo said; echo warned >&2; exit 0"};
    request_.env = {"WHAT=object", "PATH=/usr/bin:/bin"};
    request_.cwd = dir_.path();
    outcome_.out = "said\n";
    outcome_.err = "warned\n";
    outcome_.files = {{dir_.path() + "/out.o", 0644, "object"}};
    for (const char* name : {"/out.o", "/out.d"}) {
      outputs_.announced.push_back({dir_.path() + name, dir_.path() + name, false});
    }
  }
  Result<Audited> Run() {
    trace::Phases phases(SystemClock(), {}, SystemClock().NowNs(), SystemClock().MonotonicNs());
    execute::Execution execution{
        .clock = SystemClock(), .phases = phases, .cancelled = [this] { return is_cancelled_; }};
    return auditor_.Run(request_, outputs_, outcome_, services_, execution);
  }
  std::string Difference() {
    const auto audited = Run();
    EXPECT_TRUE(audited) << audited.error().message;
    return audited ? audited->difference : "not run";
  }

  TempDir dir_ = TempDir::Create("audit").value();
  admission::CpuAdmission cpu_{{.cores = 1}};
  Services services_;
  session::Compile request_;
  execute::Outputs outputs_;
  execute::Outcome outcome_;
  bool is_cancelled_ = false;
  Auditor auditor_{1};
};

TEST_F(AuditTest, TheSameIsNoDifference) {
  EXPECT_EQ(Difference(), "");
  EXPECT_EQ(Difference(), "");
}

TEST_F(AuditTest, NamesWhatDiffersAndKeepsWhatIsMadeHere) {
  request_.env[0] = "WHAT=another";
  EXPECT_EQ(Difference(), dir_.path() + "/out.o");
  EXPECT_EQ(*ReadFile(dir_.path() + "/out.o"), "another");
  request_.env[0] = "WHAT=object";
  outcome_.err = "warned otherwise\n";
  EXPECT_EQ(Difference(), "what it printed");
  request_.streams[2].kind = session::StreamKind::kTerminal;
  EXPECT_EQ(Difference(), "") << "colours";
  outcome_.wait_status = 1 << 8;
  EXPECT_EQ(Difference(), "wait status 256, here 0");
  outcome_.wait_status = 0;
  outcome_.files.push_back({dir_.path() + "/out.d", 0644, "out.o: a.c\n"});
  EXPECT_NE(Difference().find("out.d"), std::string::npos);
}

TEST_F(AuditTest, WhatIsMissingDiffers) {
  outcome_.files.clear();
  EXPECT_EQ(Difference(), dir_.path() + "/out.o: made here alone");
}

TEST_F(AuditTest, ReadsNothingThatAWorkerMayNotName) {
  const std::string fifo = dir_.path() + "/out.d";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  outcome_.files.push_back({fifo, 0644, ""});
  EXPECT_EQ(Difference(), fifo) << "and it does not wait for somebody to write";
  outcome_.files.back().path = "/etc/passwd";
  EXPECT_EQ(Difference(), "an output that was not announced");
}

TEST_F(AuditTest, WhatCannotBeRunIsNoFinding) {
  is_cancelled_ = true;
  EXPECT_EQ(Run().error().code, Code::kCancelled);
  is_cancelled_ = false;
  request_.compiler = dir_.path() + "/none";
  EXPECT_FALSE(Run());
  request_.compiler = "/bin/sh";
  EXPECT_EQ(Difference(), "") << "the turn was given back";
}

}  // namespace
}  // namespace llama::daemon
