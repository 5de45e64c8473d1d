// The view that the recorder gives a command (preload/view.c): below a root of the worker's it sees
// what it would see at home, and is told the same.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "base/process.h"
#include "worker/run/lookups.h"
#include "worker/run/shipped_programs_testing.h"

namespace llama::worker {
namespace {

class ViewTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    home_ = RealPath(temp_.path()).value() + "/home folder";
    worker_ = RealPath(temp_.path()).value() + "/worker";
    ASSERT_TRUE(MakeDirs(worker_));
    log_ = LookupLog::Create(worker_).value();
  }

  // The folder of the probe, below `root`, where its own name is `home_`.
  void MakeFolder(const std::string& root) const {
    const std::string folder = root + home_;
    ASSERT_TRUE(MakeDirs(folder + "/sub"));
    ASSERT_TRUE(WriteFileAtomic(folder + "/a.txt", "aaa", 0644));
    ASSERT_TRUE(WriteFileAtomic(folder + "/sub/b.txt", "bbb", 0600));
    ASSERT_TRUE(WriteFileAtomic(folder + "/run.sh", "#!/bin/sh\necho \"$0 $*\"\npwd -P\n", 0755));
    ASSERT_EQ(symlink("a.txt", (folder + "/link").c_str()), 0);
    // As a mirror makes them.
    ASSERT_EQ(symlink((folder + "/a.txt").c_str(), (folder + "/abs").c_str()), 0);
  }

  std::string Run(const std::string& root) {
    ProcessOptions options;
    options.program = std::string(LLAMA_VIEW_PROBE) + GetParam();
    // system() has no quotes of its own.
    options.argv = {options.program, home_};
    options.env = {"PATH=/usr/bin:/bin", "LC_ALL=C", "PWD=" + home_};
    options.cwd = root + home_;
    options.timeout_ms = 60'000;
    if (!root.empty()) {
      options.env.push_back("LLAMA_LOOKUP_ROOT=" + root);
      log_->AddTo(options.env);
    }
    options.on_start = [&](pid_t pid) { pid_ = pid != 0 ? pid : pid_; };
    const Result<ProcessResult> ran = RunProcess(options);
    EXPECT_TRUE(ran);
    EXPECT_EQ(ran->ExitCode(), 0);
    return ran->out + ran->err;
  }

  TempDir temp_ = *TempDir::Create("view");
  std::string home_;
  std::string worker_;
  std::unique_ptr<LookupLog> log_;
  pid_t pid_ = 0;
};

TEST_P(ViewTest, SaysWhatIsSaidAtHome) {
  MakeFolder("");
  const std::string at_home = Run("");
  ASSERT_TRUE(RemoveTree(home_));
  const std::string root = worker_ + "/m[1]/root";
  MakeFolder(root);
  // The script's interpreter is one of the view's, too.
  ASSERT_TRUE(MakeDirs(root + "/bin"));
  ASSERT_EQ(symlink("/bin/sh", (root + "/bin/sh").c_str()), 0);
  EXPECT_EQ(Run(root), at_home);
  struct stat st {};
  EXPECT_NE(lstat(home_.c_str(), &st), 0) << "something was made outside of the root";

  const Lookups lookups = log_->Collect(root, pid_).value();
  EXPECT_TRUE(lookups.complete);
  for (const char* name : {"/a.txt", "/sub/b.txt", "/link", "/abs", "/run.sh"}) {
    EXPECT_TRUE(Has(lookups.found, home_ + name)) << name;
  }
  EXPECT_TRUE(Has(lookups.absent, home_ + "/none"));
  EXPECT_TRUE(Has(lookups.listed, home_));
}

INSTANTIATE_TEST_SUITE_P(Programs, ViewTest, testing::Values("", "_fortified"),
                         [](const auto& test) {
                           return *test.param == 0 ? "plain" : test.param + 1;
                         });

}  // namespace
}  // namespace llama::worker
