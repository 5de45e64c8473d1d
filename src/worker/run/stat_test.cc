// What a command is told of its files' times and identity, and of its standard streams
// (preload/inodes.c, terminal.c).
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "base/process.h"
#include "worker/run/inode_table.h"
#include "worker/run/lookups.h"

namespace llama::worker {
namespace {

class StatTest : public testing::Test {
 protected:
  void SetUp() override {
    worker_ = RealPath(temp_.path()).value() + "/worker";
    root_ = worker_ + "/m/root";
    ASSERT_TRUE(MakeDirs(root_ + "/home/sub"));
    log_ = LookupLog::Create(worker_).value();
    ASSERT_TRUE(WriteFileAtomic(root_ + "/home/a.h", "same", 0644));
    // As a mirror has equal files.
    ASSERT_EQ(link((root_ + "/home/a.h").c_str(), (root_ + "/home/b.h").c_str()), 0);
    ASSERT_EQ(link((root_ + "/home/a.h").c_str(), (root_ + "/home/c.h").c_str()), 0);
    ASSERT_EQ(symlink("../a.h", (root_ + "/home/sub/l.h").c_str()), 0);
  }

  std::string Run(const std::vector<std::string>& files, const std::string& variable = {},
                  bool has_proc = true) {
    std::vector<std::string> env = {"LLAMA_LOOKUP_ROOT=" + root_};
    if (!variable.empty()) env.push_back(variable);
    log_->AddTo(env);
    ProcessOptions options;
    options.program = LLAMA_STAT_PROBE;
    options.cwd = root_ + "/home";
    options.timeout_ms = 60'000;
    if (has_proc) {
      options.argv = {options.program};
      options.env = env;
    } else {
      options.program = "/usr/bin/env";
      options.argv = {"env",     "unshare", "-rm",
                      "/bin/sh", "-c",      "mount -t tmpfs none /proc && exec env \"$@\"",
                      "sh"};
      options.argv.insert(options.argv.end(), env.begin(), env.end());
      options.argv.emplace_back(LLAMA_STAT_PROBE);
      options.env = {"PATH=/usr/bin:/bin"};
    }
    options.argv.insert(options.argv.end(), files.begin(), files.end());
    const Result<ProcessResult> ran = RunProcess(options);
    EXPECT_TRUE(ran);
    EXPECT_TRUE(!has_proc || ran->ExitCode() == 0) << ran->err;
    return ran->ExitCode() == 0 ? ran->out : "";
  }
  std::string RunWith(const std::vector<tree::Inode>& inodes, const std::vector<std::string>& files,
                      bool has_proc = true) {
    const std::string table = worker_ + "/table";
    EXPECT_TRUE(WriteFileAtomic(table, EncodeInodeTable(inodes), 0644));
    const std::string out = Run(files, "LLAMA_INODES=" + table, has_proc);
    return out.substr(0, out.find("0: 0"));
  }
  // One file's line, if every way to ask says the same.
  static std::string Line(int file, const std::string& what) {
    std::string line = std::to_string(file);
    for (const char* how : {"stat", "lstat", "fstatat", "fstat", "empty", "statx"}) {
      line.append(" ").append(how).append(": ").append(what);
    }
    return line + "\n";
  }

  TempDir temp_ = *TempDir::Create("stat");
  std::string worker_;
  std::string root_;
  std::unique_ptr<LookupLog> log_;
};

TEST_F(StatTest, SaysWhatTheTableSays) {
  const std::vector<tree::Inode> inodes = {
      {"/home/a.h", 1'000'000'007, 1}, {"/home/b.h", -1, 2}, {"/home/c.h", 5'000'000'000, 1}};
  EXPECT_EQ(RunWith(inodes, {"a.h", "/home/b.h", "sub/../c.h"}),
            Line(1, "1.000000007 1") + Line(2, "-1.999999999 2") + Line(3, "5.000000000 1"));
  // A link is told of as itself, and what it leads to as that.
  const std::string out = RunWith(inodes, {"a.h", "sub/l.h"});
  EXPECT_NE(out.find("2 stat: 1.000000007 1 lstat: "), out.npos) << out;
  EXPECT_NE(out.find(" fstat: 1.000000007 1 empty: 1.000000007 1 statx: 1.000000007 1"), out.npos);
  EXPECT_EQ(out.find(" lstat: 1.0"), out.find(" lstat: 1.000000007 1 fstatat: 1.0"));
}

TEST_F(StatTest, SaysTheSameWithoutProc) {
  const std::vector<tree::Inode> inodes = {{"/home/a.h", 1'000'000'007, 1}, {"/home/b.h", 1, 2}};
  const std::vector<std::string> files = {"a.h",        "/home/b.h",        "sub/../sub/l.h",
                                          "./sub//l.h", "/home/sub/../c.h", "/home/../home/./a.h"};
  if (RunWith({}, {}, false).empty() && Run({}, "", false).empty()) {
    GTEST_SKIP() << "no namespaces here";
  }
  ASSERT_EQ(symlink("sub", (root_ + "/home/dir").c_str()), 0);
  EXPECT_EQ(RunWith(inodes, files, false), RunWith(inodes, files));
  EXPECT_EQ(RunWith(inodes, {"dir/l.h", "dir/../b.h"}, false),
            RunWith(inodes, {"dir/l.h", "dir/../b.h"}));
}

TEST_F(StatTest, FilesThatTheTableLeavesOutAreAsTheyAre) {
  const std::string plain = Run({"a.h", "b.h"});
  EXPECT_EQ(RunWith({{"/home/c.h", 1, 1}}, {"a.h", "b.h"}), plain.substr(0, plain.find("0: 0")));
}

TEST_F(StatTest, ATableThatIsNotThereMakesTheLogIncomplete) {
  (void)Run({"a.h"}, "LLAMA_INODES=" + worker_ + "/none");
  EXPECT_FALSE(log_->Collect(root_, 1).value().complete);
}

TEST_F(StatTest, TerminalsAreWhatTheyWereForTheCaller) {
  EXPECT_EQ(Run({}), "0: 0 -1 -1\n1: 0 -1 -1\n2: 0 -1 -1\n");
  EXPECT_EQ(Run({}, "LLAMA_TERMINALS=2=60x24"), "0: 0 -1 -1\n1: 0 -1 -1\n2: 1 60 24\n");
  EXPECT_EQ(Run({}, "LLAMA_TERMINALS=0=0x0:2=132x50"), "0: 1 0 0\n1: 0 -1 -1\n2: 1 132 50\n");
}

}  // namespace
}  // namespace llama::worker
