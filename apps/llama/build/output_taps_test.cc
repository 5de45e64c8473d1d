#include "llama/build/output_taps.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "base/file.h"
#include "llama/run/run_command.h"

namespace llama::app {
namespace {

constexpr const char* kFails = "echo one; echo 'a.c:3: error: no' >&2; echo two; exit 3";

// What `script` wrote where `out` and `err` lead, its exit status, and what was seen.
struct Ran {
  int status = -1;
  std::string diagnostic;
};

// In a process of its own, whose standard output and error are these.
Ran RunIn(const std::string& script, int out, int err) {
  std::array<int, 2> told{};
  EXPECT_EQ(pipe2(told.data(), O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    OutputWatch watch;
    OutputTaps taps(watch);
    RunOptions run;
    run.command = {"sh", "-c", script};
    run.env = {"PATH=/usr/bin:/bin"};
    run.taps = &taps;
    const auto status = RunCommand(run);
    const std::string text = watch.Diagnostic();
    (void)!write(told[1], text.data(), text.size());
    _exit(status && WIFEXITED(*status) ? WEXITSTATUS(*status) : 99);
  }
  close(told[1]);
  Ran ran;
  ran.diagnostic = ReadAll(told[0], 1 << 20, "pipe").value();
  close(told[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  ran.status = WEXITSTATUS(status);
  return ran;
}

struct Pipe {
  Pipe() { EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0); }
  std::string Content() {
    close(ends[1]);
    std::string text = ReadAll(ends[0], 1 << 24, "pipe").value();
    close(ends[0]);
    return text;
  }
  std::array<int, 2> ends{};
};

TEST(OutputTapsTest, OnePipeForBothKeepsTheOrder) {
  Pipe both;
  const Ran ran = RunIn(kFails, both.ends[1], both.ends[1]);
  EXPECT_EQ(both.Content(), "one\na.c:3: error: no\ntwo\n");
  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(ran.diagnostic, "a.c:3: error: no\ntwo");
}

TEST(OutputTapsTest, TwoPipesStayTwo) {
  Pipe out;
  Pipe err;
  EXPECT_EQ(RunIn(kFails, out.ends[1], err.ends[1]).diagnostic, "a.c:3: error: no");
  EXPECT_EQ(out.Content(), "one\ntwo\n");
  EXPECT_EQ(err.Content(), "a.c:3: error: no\n");
}

TEST(OutputTapsTest, AFileIsReadFromWhereTheCommandBegan) {
  const TempDir dir = TempDir::Create("taps").value();
  const std::string path = dir.path() + "/log";
  for (const int flags : {O_TRUNC, O_APPEND}) {
    const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600));
    ASSERT_TRUE(WriteAll(file.get(), "old.c:1: error: of another build\n", path));
    EXPECT_EQ(RunIn(kFails, file.get(), file.get()).diagnostic, "a.c:3: error: no\ntwo");
  }
}

TEST(OutputTapsTest, MuchOutputPassesWhole) {
  Pipe both;
  const pid_t reader = fork();
  if (reader == 0) {
    _exit(both.Content().size() == 3 * 1'000'000 ? 0 : 1);
  }
  const Ran ran = RunIn("head -c 3000000 /dev/zero", both.ends[1], both.ends[1]);
  EXPECT_EQ(ran.status, 0);
  close(both.ends[1]);
  close(both.ends[0]);
  int status = 0;
  waitpid(reader, &status, 0);
  EXPECT_EQ(status, 0);
}

// As without us: the command gets SIGPIPE, and ends.
// As plain pipes have it: many small writes take the room of their bytes.
TEST(OutputTapsTest, AReaderMayWaitForTheEndBeforeItReads) {
  Pipe both;
  const Ran ran =
      RunIn("i=0; while [ $i -lt 400 ]; do echo a line of output; sleep 0; i=$((i+1)); done",
            both.ends[1], both.ends[1]);
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(both.Content().size(), 400 * std::string("a line of output\n").size());
}

TEST(OutputTapsTest, AReaderThatGoesAwayIsTheCommandsToSee) {
  Pipe both;
  close(both.ends[0]);
  const Ran ran = RunIn("while echo x; do :; done 2>/dev/null; exit 7", both.ends[1], both.ends[1]);
  EXPECT_TRUE(ran.status == 7 || ran.status == 99) << ran.status;  // the shell's echo, or the shell
  close(both.ends[1]);
}

// A reader that does not read holds up whoever waits for it, until a signal comes.
TEST(OutputTapsTest, ASignalEndsTheWaitForASlowReader) {
  Pipe both;
  RunIn("head -c 100000 /dev/zero; kill -TERM $PPID", both.ends[1], both.ends[1]);
  EXPECT_EQ(both.Content().size(), 100'000u);
}

// What runs on in the background may write on, and who reads waits for it.
TEST(OutputTapsTest, ABackgroundProcessKeepsItsOutput) {
  Pipe both;
  Pipe go;
  const std::string wait = "read x <&" + std::to_string(go.ends[0]);
  fcntl(go.ends[0], F_SETFD, 0);
  const Ran ran = RunIn("(" + wait + "; echo late) & echo early", both.ends[1], both.ends[1]);
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(write(go.ends[1], "\n", 1), 1);
  EXPECT_EQ(both.Content(), "early\nlate\n");
  close(go.ends[0]);
  close(go.ends[1]);
}

}  // namespace
}  // namespace llama::app
