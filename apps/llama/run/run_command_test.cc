#include "llama/run/run_command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "base/clock.h"
#include "llama/build/relay.h"

namespace llama::app {
namespace {

RunOptions Shell(const std::string& script) {
  RunOptions options;
  options.command = {"sh", "-c", script};
  options.env = {"PATH=/usr/bin:/bin", "X=1"};
  return options;
}

TEST(RunCommandTest, StatusIsTheCommands) {
  EXPECT_EQ(WEXITSTATUS(RunCommand(Shell("exit 7")).value()), 7);
  EXPECT_EQ(WEXITSTATUS(RunCommand(Shell("test \"$X$HOME\" = 1")).value()), 0);
  const int killed = RunCommand(Shell("kill -9 $$")).value();
  ASSERT_TRUE(WIFSIGNALED(killed));
  EXPECT_EQ(WTERMSIG(killed), SIGKILL);
}

TEST(RunCommandTest, SaysWhatCannotBeRun) {
  RunOptions options = Shell("");
  options.command = {"no-such-command"};
  const auto missing = RunCommand(options);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find("no-such-command"), std::string::npos);
  options.command = {"/"};
  const auto denied = RunCommand(options);
  ASSERT_FALSE(denied);
  EXPECT_NE(denied.error().code, Code::kNotFound);
}

TEST(RunCommandTest, SignalsThatAreSentToUsReachTheCommand) {
  for (const int signal : {SIGTERM, SIGHUP, SIGINT}) {
    // Ignored ones stay ignored, as under nohup or in a shell's background.
    std::signal(signal, SIG_DFL);
    RunOptions options = Shell("trap 'exit 9' TERM HUP INT; while :; do :; done");
    bool sent = false;
    // The first tick may come before the trap is set; then the signal itself ends the shell.
    options.tick = [&] {
      if (!sent) kill(getpid(), signal);
      sent = true;
    };
    const int status = RunCommand(options).value();
    EXPECT_TRUE(WIFSIGNALED(status) ? WTERMSIG(status) == signal : WEXITSTATUS(status) == 9);
  }
}

TEST(RunCommandTest, TicksWhileTheCommandRuns) {
  int ticks = 0;
  RunOptions options = Shell("read line");  // until its stdin, a pipe, is closed
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const int saved = dup(STDIN_FILENO);
  dup2(fds[0], STDIN_FILENO);
  close(fds[0]);
  options.tick_ms = 1;
  options.tick = [&] {
    if (++ticks == 3) close(fds[1]);
  };
  const auto status = RunCommand(options);
  dup2(saved, STDIN_FILENO);
  close(saved);
  ASSERT_TRUE(status);
  EXPECT_GE(ticks, 3);
}

// Within five seconds.
bool Eventually(const std::function<bool()>& happens) {
  const int64_t deadline_ns = SystemClock().MonotonicNs() + 5'000'000'000;
  while (!happens()) {
    if (SystemClock().MonotonicNs() > deadline_ns) return false;
  }
  return true;
}

// A pty stands for the user's terminal.
class RelayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    screen_ = Fd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!screen_.valid() || grantpt(screen_.get()) != 0 || unlockpt(screen_.get()) != 0) {
      GTEST_SKIP() << "no pseudo-terminal can be had here: " << std::strerror(errno);
    }
    const char* name = ptsname(screen_.get());
    terminal_ = Fd(name == nullptr ? -1 : open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!terminal_.valid()) {
      GTEST_SKIP() << "the pseudo-terminal has no name here (/dev/pts): " << std::strerror(errno);
    }
    ASSERT_EQ(fcntl(screen_.get(), F_SETFL, O_NONBLOCK), 0);
  }

  void CommandWrites(Relay& relay, std::string_view text) {
    ASSERT_EQ(write(relay.command_end(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
    // The kernel hands a terminal's bytes on by and by.
    int waiting = 0;
    const bool came = Eventually([&] {
      return ioctl(relay.fd(), FIONREAD, &waiting) == 0 && waiting == static_cast<int>(text.size());
    });
    EXPECT_TRUE(came) << waiting << " bytes";
    EXPECT_TRUE(relay.Pump());
  }

  // What the user sees written since the last call: all of it, since a mark is written after it.
  std::string Shown() {
    const char mark = '\0';
    EXPECT_EQ(write(terminal_.get(), &mark, 1), 1);
    std::string shown;
    const bool came = Eventually([&] {
      char next = mark;
      if (read(screen_.get(), &next, 1) != 1) return false;
      shown += next;
      return next == mark;
    });
    EXPECT_TRUE(came) << "what was written to the terminal never came out of it";
    if (came) shown.pop_back();
    return shown;
  }

  Fd screen_;
  Fd terminal_;
};

TEST_F(RelayTest, StatusLineGivesWayToOutput) {
  auto relay = Relay::Open(terminal_.get());
  ASSERT_TRUE(relay);
  EXPECT_TRUE(isatty(relay->command_end()));
  relay->Draw("status");
  EXPECT_EQ(Shown(), "\r\x1b[Kstatus\r");
  CommandWrites(*relay, "cc -c a.c\n");
  EXPECT_EQ(Shown(), "\r\x1b[Kcc -c a.c\r\n");
  relay->Draw("status");
  EXPECT_EQ(Shown(), "\r\x1b[Kstatus\r");
  relay->Erase();
  EXPECT_EQ(Shown(), "\r\x1b[K");
  relay->Erase();
  EXPECT_EQ(Shown(), "");
}

TEST_F(RelayTest, NothingIsDrawnIntoALineOfTheCommands) {
  auto relay = Relay::Open(terminal_.get());
  ASSERT_TRUE(relay);
  CommandWrites(*relay, "checking for gcc... ");
  relay->Draw("status");
  EXPECT_EQ(Shown(), "checking for gcc... ");
  CommandWrites(*relay, "yes\n");
  relay->Draw("status");
  EXPECT_EQ(Shown(), "yes\r\n\r\x1b[Kstatus\r");
}

TEST_F(RelayTest, NothingIsDrawnOverAFullScreenProgram) {
  auto relay = Relay::Open(terminal_.get());
  ASSERT_TRUE(relay);
  CommandWrites(*relay, "\x1b[?1049hmenu\n");
  Shown();
  relay->Draw("status");
  EXPECT_EQ(Shown(), "");
}

TEST_F(RelayTest, EndsWhenTheCommandHasClosedIt) {
  auto relay = Relay::Open(terminal_.get());
  ASSERT_TRUE(relay);
  relay->CloseCommandEnd();
  EXPECT_FALSE(relay->Pump());
  EXPECT_EQ(relay->fd(), -1);
}

}  // namespace
}  // namespace llama::app
