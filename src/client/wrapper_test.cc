#include "client/wrapper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "client/client_test_world.h"

namespace llama::client {
namespace {

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

class WrapperTest : public ClientTestWorld {
 protected:
  using Strings = std::vector<std::string>;

  void SetUp() override {
    ClientTestWorld::SetUp();
    ASSERT_TRUE(MakeDirs(dir_->path() + "/bin"));
    ASSERT_TRUE(WriteFileAtomic(dir_->path() + "/bin/cc",
                                "#!/bin/sh\n"
                                "echo \"$1 slot=$LLAMACC_SLOT\"\n"
                                "if [ -e /proc/$$/fd/200 ]; then echo held; fi\n"
                                "exit 5\n",
                                0755));
  }

  void StartDaemon() { ASSERT_TRUE(Connect(Options())); }

  // Runs the wrapper as `llamacc args…` in a process of its own.
  Ran Run(const Strings& args, const Strings& env = {}, const std::vector<int>& closed = {}) {
    const pid_t child = fork();
    if (child == 0) {
      Redirect("out", STDOUT_FILENO);
      Redirect("err", STDERR_FILENO);
      for (const int fd : closed) close(fd);
      setenv("PATH", (dir_->path() + "/bin:/usr/bin:/bin").c_str(), 1);
      setenv("LLAMA_DIR", StateFolder().c_str(), 1);
      for (const std::string& entry : env) putenv(const_cast<char*>(entry.c_str()));
      if (chdir(dir_->path().c_str()) != 0) _exit(99);
      umask(027);
      Strings argv = {"llamacc"};
      argv.insert(argv.end(), args.begin(), args.end());
      std::vector<char*> pointers;
      for (std::string& arg : argv) pointers.push_back(arg.data());
      _exit(RunWrapper(static_cast<int>(pointers.size()), pointers.data(), "this"));
    }
    Ran ran;
    EXPECT_EQ(waitpid(child, &ran.status, 0), child);
    ran.out = Contents("out");
    ran.err = Contents("err");
    return ran;
  }
  void Redirect(const char* name, int fd) const {
    const Result<Fd> file = OpenFile(dir_->path() + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!file || dup2(file->get(), fd) < 0) _exit(98);
  }

  // "-x" is what the fake compiler would be told; it never runs in these.
  void ExpectLocal(const Ran& ran, const std::string& out) {
    EXPECT_TRUE(WIFEXITED(ran.status));
    EXPECT_EQ(WEXITSTATUS(ran.status), 5);
    EXPECT_EQ(ran.out, out);
    EXPECT_EQ(ran.err, "");
  }
};

TEST_F(WrapperTest, PrintsWhatComesBackAndExitsAsTheCompilerDid) {
  StartDaemon();
  const Ran ran = Run({"cc", "remote", "to stdout", "to\nstderr", std::to_string(42 << 8)});
  EXPECT_TRUE(WIFEXITED(ran.status));
  EXPECT_EQ(WEXITSTATUS(ran.status), 42);
  EXPECT_EQ(ran.out, "to stdout");
  EXPECT_EQ(ran.err, "to\nstderr");
  // The fake daemon serves one connection after the other: this one comes after the Done.
  ASSERT_TRUE(Connect(Options()));
  EXPECT_EQ(Contents("state/done"), "well-formed\n");
}

TEST_F(WrapperTest, DiesOfTheSignalThatTheCompilerDiedOf) {
  StartDaemon();
  for (const int sig : {SIGKILL, SIGSEGV, SIGTERM}) {
    const Ran ran = Run({"cc", "remote", "", "", std::to_string(sig)});
    EXPECT_TRUE(WIFSIGNALED(ran.status)) << sig;
    EXPECT_EQ(WTERMSIG(ran.status), sig);
    EXPECT_FALSE(WCOREDUMP(ran.status));
  }
}

TEST_F(WrapperTest, TellsTheDaemonWhatTheCompilerWouldKnow) {
  StartDaemon();
  ASSERT_TRUE(MakeDirs(dir_->path() + "/links"));
  ASSERT_EQ(symlink("/proc/self/exe", (dir_->path() + "/links/cc").c_str()), 0);
  const std::string rest = dir_->path() + "/bin:/usr/bin";
  const std::string path = "PATH=" + dir_->path() + "/links:" + rest;
  EXPECT_EQ(Run({"cc", "remote", "", "", "0"}, {path}).status, 0);
  EXPECT_EQ(Contents("state/request"),
            dir_->path() + "/bin/cc|" + dir_->path() + "|23|" + rest + "\n");
}

TEST_F(WrapperTest, BecomesTheCompilerWithTheSlotHeld) {
  StartDaemon();
  ExpectLocal(Run({"cc", "local"}), "local slot=1\nheld\n");
}

TEST_F(WrapperTest, ADaemonThatFailsIsNotSeenButForASlotAmongThoseWithoutOne) {
  for (const char* how : {"half", "garbage", "die"}) {
    StartDaemon();
    ExpectLocal(Run({"cc", how}), std::string(how) + " slot=1\nheld\n");
  }
}

TEST_F(WrapperTest, AStateFolderThatCannotBeIsNotSeen) {
  ExpectLocal(Run({"cc", "x"}, {"LLAMA_DIR=/dev/null/x"}), "x slot=\n");
  ExpectLocal(Run({"cc", "x"}, {"LLAMA_DIR=", "XDG_STATE_HOME=", "HOME="}), "x slot=\n");
}

TEST_F(WrapperTest, LocalMeansNotToAsk) {
  ExpectLocal(Run({"cc", "remote"}, {"LLAMACC_LOCAL=1"}), "remote slot=\n");
  ExpectLocal(Run({"cc", "remote"}, {"LLAMACC_SLOT=1"}), "remote slot=1\n");
  // Not even the folder is there.
  EXPECT_NE(access(StateFolder().c_str(), F_OK), 0);
}

TEST_F(WrapperTest, CcacheComesFirstAndRunsTheCompilerByTheWrapper) {
  ASSERT_TRUE(WriteFileAtomic(dir_->path() + "/bin/ccache",
                              "#!/bin/sh\n"
                              "echo \"$CCACHE_PREFIX $*\"\n",
                              0755));
  const std::string self = ReadLink("/proc/self/exe").value();
  EXPECT_EQ(Run({"ccache", "cc", "-c", "a.c"}).out, self + " cc -c a.c\n");
  EXPECT_EQ(Run({dir_->path() + "/bin/ccache", "cc"}).out, self + " cc\n");
  EXPECT_EQ(Run({"ccache", "cc"}, {"CCACHE_PREFIX=distcc"}).out, "distcc cc\n");
}

TEST_F(WrapperTest, ClosedDescriptorsAreNotTheSocket) {
  StartDaemon();
  const Ran ran = Run({"cc", "remote", "", "", "256"}, {}, {0, 1, 2});
  EXPECT_EQ(WEXITSTATUS(ran.status), 1);
  EXPECT_EQ(ran.out + ran.err, "");
  ASSERT_TRUE(Connect(Options()));
  EXPECT_EQ(Contents("state/done"), "well-formed\n");
}

TEST_F(WrapperTest, WhatCannotBePrintedIsTheCompilersAffair) {
  StartDaemon();
  const std::string written = dir_->path() + "/a.o";
  ASSERT_TRUE(WriteFileAtomic(written, "object", 0644));
  const Strings args = {"cc", "remote", "", "text", "0", written};
  EXPECT_EQ(Run(args, {}, {}).status, 0);
  EXPECT_EQ(access(written.c_str(), F_OK), 0);
  ExpectLocal(Run(args, {}, {STDERR_FILENO}), "remote slot=\n");
  EXPECT_NE(access(written.c_str(), F_OK), 0);
}

TEST_F(WrapperTest, NoSuchCompilerIsAsTheShellHasIt) {
  const Ran ran = Run({"no-such-gcc", "-c"});
  EXPECT_EQ(WEXITSTATUS(ran.status), 127);
  EXPECT_EQ(ran.err, "no-such-gcc: command not found\n");
}

TEST_F(WrapperTest, SaysWhatItDoesOnlyIfAsked) {
  const Ran ran = Run({"cc", "x"}, {"LLAMACC_LOCAL=1", "LLAMACC_VERBOSE=1"});
  EXPECT_EQ(ran.err, "llamacc: cc: runs locally: LLAMACC_LOCAL is set\n");
}

TEST_F(WrapperTest, AScriptWithoutAShebangRuns) {
  ASSERT_TRUE(WriteFileAtomic(dir_->path() + "/bin/gcc", "echo script $1\n", 0755));
  const Ran ran = Run({"gcc", "x"}, {"LLAMACC_LOCAL=1"});
  EXPECT_EQ(ran.out, "script x\n");
  EXPECT_EQ(ran.status, 0);
}

}  // namespace
}  // namespace llama::client
