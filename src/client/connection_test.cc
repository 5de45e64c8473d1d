#include "client/connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "client/client_test_world.h"

namespace llama::client {
namespace {

class ConnectionTest : public ClientTestWorld {};

TEST_F(ConnectionTest, StartsADaemonIfThereIsNone) {
  const Result<Fd> fd = Connect(Options());
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_EQ(Starts(), 1);
}

// Of the wrapper's environment it gets what is the user's, and the function, which is a setting of
// both; not what belongs to this make or this wrapper.
TEST_F(ConnectionTest, TheDaemonGetsItsSettingsAndNothingOfTheMake) {
  const std::pair<const char*, bool> variables[] = {
      {"LLAMACC_FUNCTION", true},  {"LLAMA_WORKERS", true}, {"AWS_PROFILE", true},
      {"LLAMACC_BUILD_ID", false}, {"MAKEFLAGS", false},    {"TRACEPARENT", false},
  };
  for (const auto& [name, stays] : variables) setenv(name, "seventeen", 1);
  EXPECT_TRUE(Connect(Options()));
  const std::string environment = "\n" + Contents("state/environment");
  for (const auto& [name, stays] : variables) {
    const std::string line = "\n" + std::string(name) + "=seventeen\n";
    EXPECT_EQ(environment.find(line) != std::string::npos, stays) << name;
    unsetenv(name);
  }
}

TEST_F(ConnectionTest, StartsNoneIfToldNotTo) {
  ConnectOptions options = Options();
  options.start = false;
  const Result<Fd> fd = Connect(options);
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, Code::kNotFound);
  EXPECT_EQ(Starts(), 0);
}

TEST_F(ConnectionTest, AHundredAtOnceStartOne) {
  std::vector<pid_t> children;
  for (int i = 0; i < 100; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      ConnectOptions options = Options();
      options.timeout_ms = 60'000;  // a hundred sanitized processes on few cores
      _exit(Connect(options) ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(Starts(), 1);
}

TEST_F(ConnectionTest, TheDaemonIsNotAChildOfItsStarter) {
  const Result<Fd> fd = Connect(Options());
  ASSERT_TRUE(fd);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(ConnectionTest, AnIdleDaemonOfAnotherBuildIsReplaced) {
  ASSERT_TRUE(Connect(Options()));
  setenv(kFakeBuildVariable, "that", 1);
  const Result<Fd> fd = Connect(Options("that"));
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_EQ(Starts(), 2);
}

TEST_F(ConnectionTest, AProgramOfAnotherBuildIsNotStartedAgainAndAgain) {
  const Result<Fd> fd = Connect(Options("that"));
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, Code::kUnavailable);
  EXPECT_NE(fd.error().message.find("another build than this wrapper"), std::string::npos);
  EXPECT_EQ(Starts(), 2);
  const Result<Fd> again = Connect(Options("that"));
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("(a moment ago)"), std::string::npos);
  EXPECT_EQ(Starts(), 2);
}

TEST_F(ConnectionTest, ABusyDaemonOfAnotherBuildIsLeftAlone) {
  ASSERT_TRUE(Connect(Options()));
  ASSERT_TRUE(WriteFileAtomic(StateFolder() + "/busy", "", 0600));
  const Result<Fd> fd = Connect(Options("that"));
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, Code::kUnavailable);
  EXPECT_EQ(Starts(), 1);
  EXPECT_TRUE(Connect(Options()));
}

TEST_F(ConnectionTest, SaysWhyTheDaemonDidNotStart) {
  setenv("FAKE_DAEMON_TROUBLE", "LLAMA_WORKERS=many: must be a number", 1);
  const Result<Fd> failed = Connect(Options());
  const Result<Fd> again = Connect(Options());
  unsetenv("FAKE_DAEMON_TROUBLE");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message,
            "the daemon did not start: LLAMA_WORKERS=many: must be a number");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, failed.error().message + " (a moment ago)");
}

TEST_F(ConnectionTest, AFailedStartIsNotTriedAgainAtOnce) {
  ConnectOptions broken = Options();
  broken.daemon_program = "/bin/false";
  const Result<Fd> failed = Connect(broken);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUnavailable);
  EXPECT_FALSE(Connect(Options()));
  EXPECT_EQ(Starts(), 0);
  ConnectOptions again = Options();
  again.retry_failed = true;
  EXPECT_TRUE(Connect(again));
  EXPECT_TRUE(Connect(Options()));
}

class HungDaemonTest : public ConnectionTest {
 protected:
  void SetUp() override {
    ConnectionTest::SetUp();
    ASSERT_TRUE(Connect(Options()));
    pid_ = std::atoi(Contents("state/starts").c_str());
    ASSERT_GT(pid_, 0);
    ASSERT_EQ(kill(pid_, SIGSTOP), 0);
  }
  void TearDown() override {
    kill(pid_, SIGCONT);
    ConnectionTest::TearDown();
  }
  Code Try(int64_t timeout_ms, int64_t hold_ms, bool retry_failed = false) const {
    ConnectOptions options = Options();
    options.timeout_ms = timeout_ms;
    options.hold_ms = hold_ms;
    options.retry_failed = retry_failed;
    const Result<Fd> fd = Connect(options);
    return fd ? Code::kInternal : fd.error().code;
  }
  static constexpr Code kServed = Code::kInternal;
  static constexpr int64_t kLongMs = 60'000;

  pid_t pid_ = 0;
};

TEST_F(HungDaemonTest, IsWaitedForOnce) {
  EXPECT_EQ(Try(20, kLongMs), Code::kDeadline);
  // Who waits as long again here would be late: a minute.
  EXPECT_EQ(Try(kLongMs, kLongMs), Code::kUnavailable);
  EXPECT_EQ(Try(20, kLongMs, /*retry_failed=*/true), Code::kDeadline);
  ASSERT_EQ(kill(pid_, SIGCONT), 0);
  EXPECT_EQ(Try(kLongMs, kLongMs), Code::kUnavailable);
  EXPECT_EQ(Try(kLongMs, 0), kServed);
  EXPECT_EQ(Try(kLongMs, kLongMs), kServed);
  EXPECT_EQ(Starts(), 1);
}

TEST_F(HungDaemonTest, IsTriedAgainByOneAtATime) {
  EXPECT_EQ(Try(20, kLongMs), Code::kDeadline);
  {
    const Result<Fd> other = OpenFile(StateFolder() + "/run/daemon.hung", O_RDWR);
    ASSERT_TRUE(other);
    ASSERT_EQ(flock(other->get(), LOCK_EX), 0);
    EXPECT_EQ(Try(kLongMs, 0), Code::kUnavailable);
  }
  // The one gives it a second, far below its own limit, and has noted it again.
  EXPECT_EQ(Try(kLongMs, 0), Code::kDeadline);
  EXPECT_EQ(Try(kLongMs, kLongMs), Code::kUnavailable);
}

TEST_F(HungDaemonTest, ThatDiedIsReplacedWhenTheNoteIsOld) {
  EXPECT_EQ(Try(20, kLongMs), Code::kDeadline);
  kill(pid_, SIGKILL);
  EXPECT_EQ(Try(kLongMs, 0), kServed);
  EXPECT_EQ(Starts(), 2);
  EXPECT_EQ(Try(kLongMs, kLongMs), kServed);
}

TEST_F(ConnectionTest, NoProgramToStartIsAnError) {
  ConnectOptions missing = Options();
  missing.daemon_program = dir_->path() + "/llama";
  EXPECT_EQ(Connect(missing).error().code, Code::kNotFound);
}

TEST_F(ConnectionTest, ADaemonThatIsNeverReadyIsGivenUp) {
  const std::string script = dir_->path() + "/hangs";
  ASSERT_TRUE(WriteFileAtomic(script, "#!/bin/sh\nexec sleep 5\n", 0755));
  ConnectOptions options = Options();
  options.daemon_program = script;
  options.timeout_ms = 50;
  EXPECT_EQ(Connect(options).error().code, Code::kDeadline);
}

TEST(StateDirTest, ComesFromTheEnvironment) {
  struct Case {
    const char* llama_dir;
    const char* xdg;
    const char* home;
    const char* expected;  // nullptr: an error
  };
  char cwd[4096];
  ASSERT_NE(getcwd(cwd, sizeof cwd), nullptr);
  const std::string below = std::string(cwd) + "/rel/dir";
  const Case cases[] = {
      {"/a//", "/b", "/c", "/a"},
      {nullptr, "/b", "/c", "/b/llama"},
      {"", "", "/c", "/c/.local/state/llama"},
      {nullptr, nullptr, nullptr, nullptr},
      {"rel/dir", nullptr, nullptr, below.c_str()},
      {"/", nullptr, nullptr, "/"},
  };
  const auto set = [](const char* name, const char* value) {
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  };
  for (const Case& c : cases) {
    set("LLAMA_DIR", c.llama_dir);
    set("XDG_STATE_HOME", c.xdg);
    set("HOME", c.home);
    const Result<std::string> dir = StateDir();
    ASSERT_EQ(dir.has_value(), c.expected != nullptr);
    if (dir) {
      EXPECT_EQ(*dir, c.expected);
    }
  }
}

}  // namespace
}  // namespace llama::client
