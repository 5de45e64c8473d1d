#include "base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "base/fd.h"
#include "base/file.h"

namespace llama {
namespace {

ProcessOptions Shell(const std::string& script) {
  ProcessOptions options;
  options.program = "/bin/sh";
  options.argv = {"sh", "-c", script};
  options.env = {"PATH=/usr/bin:/bin"};
  return options;
}

TEST(Process, CapturesOutputAndStatus) {
  const auto result = RunProcess(Shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->out, "out\n");
  EXPECT_EQ(result->err, "err\n");
  EXPECT_EQ(result->ExitCode(), 3);
  EXPECT_GT(result->usage.wall_ns, 0);
  EXPECT_GT(result->usage.max_rss_bytes, 0);
}

TEST(Process, TellsASignalFromAnExit) {
  const auto result = RunProcess(Shell("kill -TERM $$"));
  ASSERT_TRUE(result);
  ASSERT_TRUE(WIFSIGNALED(result->status));
  EXPECT_EQ(WTERMSIG(result->status), SIGTERM);
  EXPECT_EQ(result->ExitCode(), 128 + SIGTERM);
}

TEST(Process, LargeOutputOnBothStreamsDoesNotDeadlock) {
  const auto result = RunProcess(Shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out.size(), 3'000'000u);
  EXPECT_EQ(result->err.size(), 3'000'000u);
}

TEST(Process, TooMuchOutputEndsIt) {
  ProcessOptions options = Shell("yes");
  options.max_output_bytes = 100'000;
  const auto result = RunProcess(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kInvalid);
}

TEST(Process, DeadlineKillsTheWholeGroup) {
  ProcessOptions options = Shell("sleep 600 & echo $!; wait");
  options.timeout_ms = 200;
  const auto result = RunProcess(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kDeadline);
}

TEST(Process, CancellationEndsIt) {
  ProcessOptions options = Shell("exec sleep 600");
  std::atomic<bool> started = false;
  options.on_start = [&](pid_t pid) { started = pid != 0 || started; };
  options.cancelled = [&] { return started.load(); };
  const auto result = RunProcess(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kCancelled);
}

TEST(Process, AMissingProgramIsNotFound) {
  ProcessOptions options = Shell("");
  options.program = "/no/such/program";
  const auto result = RunProcess(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kNotFound);
}

TEST(Process, KeepsTheDescriptorsItWasGivenAndNoOthers) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  const Fd read_end(fds[0]);
  Fd write_end(fds[1]);
  // A close-on-exec descriptor arrives under the number asked for, even one that is in use here.
  fcntl(write_end.get(), F_SETFD, FD_CLOEXEC);
  ProcessOptions options = Shell("echo here >&9; ls /proc/self/fd | wc -l");
  options.keep_fds = {{write_end.get(), 9}};
  fcntl(read_end.get(), F_SETFD, FD_CLOEXEC);
  const auto result = RunProcess(options);
  ASSERT_TRUE(result);
  write_end.Reset();
  EXPECT_EQ(*ReadAll(read_end.get(), 100, "pipe"), "here\n");
}

TEST(Process, RunsWhereAndAsToldTo) {
  ProcessOptions options = Shell("pwd; umask; echo $X; read line || echo eof");
  options.cwd = "/usr";
  options.umask = 027;
  options.env.push_back("X=y");
  const auto result = RunProcess(options);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, "/usr\n0027\ny\neof\n");
}

}  // namespace
}  // namespace llama
