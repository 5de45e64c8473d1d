#include "emulator/sandbox/sandbox.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/file.h"
#include "emulator/lambda/testing.h"
#include "emulator/sandbox/process_tree.h"

namespace llama::emulator {
namespace {

std::string SettingsFor(const std::string& more) {
  return "profile = aws\nlambda.cold_start = 0\nlambda.latency = 0\nlambda.invoke.latency = 0\n"
         "lambda.control.latency = 0\n" +
         more;
}

bool HasNamespaces() {
  std::string why;
  return ProbeIsolation(&why) != Isolation::kNone;
}

// How many of our descendants are in that state ("T": stopped).
int CountInState(char state) {
  int count = 0;
  for (const pid_t pid : Descendants(getpid())) {
    const Result<std::string> stat = ReadFile("/proc/" + std::to_string(pid) + "/stat", 4096);
    if (!stat) continue;
    const size_t name_end = stat->rfind(") ");
    if (name_end != std::string::npos && (*stat)[name_end + 2] == state) ++count;
  }
  return count;
}

template <typename Condition>
bool Await(Condition condition) {
  const int64_t end_ns = SystemClock().MonotonicNs() + 20'000'000'000;
  while (!condition()) {
    if (SystemClock().MonotonicNs() > end_ns) return false;
    std::this_thread::yield();
  }
  return true;
}

struct Attempt {
  const char* words;
  const char* answer;
};

TEST(Sandbox, DeniesWhatLambdaDenies) {
  LambdaWorld world(SettingsFor(""));
  ASSERT_EQ(world.Create("f").status, 201);
  const Attempt attempts[] = {
      {"try ptrace", "Operation not permitted"},
      {"try chroot", "Operation not permitted"},
      {"try unshare", "Operation not permitted"},
      {"try clone", "Operation not permitted"},
      {"try mount", "Operation not permitted"},
      {"try unshare-files", "0"},
      {"try fork", "0"},
  };
  for (const Attempt& attempt : attempts) {
    EXPECT_EQ(world.Ask("f", attempt.words), attempt.answer) << attempt.words;
  }
}

TEST(Sandbox, DeniesNothingWhenTheModelSaysSo) {
  LambdaWorld world("lambda.deny_syscalls = off\n");
  ASSERT_EQ(world.Create("f").status, 201);
  EXPECT_EQ(world.Ask("f", "try ptrace"), "0");
}

TEST(Sandbox, IsAnotherUserThanRoot) {
  if (getuid() != 0 || !HasNamespaces()) GTEST_SKIP() << "needs root and namespaces";
  LambdaWorld world(SettingsFor(""));
  ASSERT_EQ(world.Create("f").status, 201);
  EXPECT_NE(world.Ask("f", "uid"), "0");
}

TEST(Sandbox, HasTheLayoutOfLambda) {
  if (!HasNamespaces()) GTEST_SKIP() << "this machine gives no namespaces";
  for (const bool bare : {false, true}) {
    LambdaOptions options;
    options.bare_root = bare;
    options.ca_pem = "certificate";
    LambdaWorld world(SettingsFor(""), options);
    ASSERT_EQ(world.Create("f").status, 201);
    const Attempt attempts[] = {
        {"there /var/task/bootstrap", "yes"},
        {"there /var/task/data/note.txt", "yes"},
        {"there /var/runtime/ca.pem", "yes"},
        {"there /proc/self/exe", "yes"},
        {"there /dev/null", "yes"},
        {"there /dev/shm", "no"},
        {"there /root", "no"},
        {"there /usr/bin/env", bare ? "no" : "yes"},
        {"write /tmp/mine", "0"},
        {"env AWS_CA_BUNDLE", "/var/runtime/ca.pem"},
        {"env LAMBDA_TASK_ROOT", "/var/task"},
        {"env TMPDIR", "(none)"},
    };
    for (const Attempt& attempt : attempts) {
      EXPECT_EQ(world.Ask("f", attempt.words), attempt.answer) << attempt.words << bare;
    }
    EXPECT_NE(world.Ask("f", "write /var/task/mine"), "0");
    EXPECT_NE(world.Ask("f", "write /mine"), "0");
    EXPECT_EQ(access("/tmp/mine", F_OK), -1) << "its /tmp is the machine's";
  }
}

TEST(Sandbox, GivesEachEnvironmentATmpOfItsOwn) {
  if (!HasNamespaces()) GTEST_SKIP() << "this machine gives no namespaces";
  LambdaWorld world(SettingsFor(""));
  ASSERT_EQ(world.Create("f").status, 201);
  ASSERT_EQ(world.Create("g").status, 201);
  EXPECT_EQ(world.Ask("f", "write /tmp/mine"), "0");
  EXPECT_EQ(world.Ask("f", "there /tmp/mine"), "yes");
  EXPECT_EQ(world.Ask("g", "there /tmp/mine"), "no");
}

TEST(Sandbox, LimitsTmp) {
  if (!HasNamespaces()) GTEST_SKIP() << "this machine gives no namespaces";
  LambdaWorld world(SettingsFor(""));
  ASSERT_EQ(world.Create("f", R"(,"MemorySize":10240,"Timeout":60)").status, 201);
  EXPECT_EQ(world.Ask("f", "fill 500"), "0");
  EXPECT_EQ(world.Ask("f", "fill 520"), "No space left on device");
}

TEST(Sandbox, FreezesWhenIdleAndThawsForWork) {
  LambdaWorld world(SettingsFor(""));
  ASSERT_EQ(world.Create("f").status, 201);
  EXPECT_EQ(world.Ask("f", "linger").empty(), false);
  // The function and the process that it left running.
  EXPECT_TRUE(Await([] { return CountInState('T') == 2; })) << CountInState('T');
  EXPECT_EQ(world.Ask("f", "served"), "2");
  EXPECT_EQ(world.Counter("lambda.cold_starts"), 1);
}

TEST(Sandbox, LeavesNothingBehind) {
  const size_t before = Descendants(getpid()).size();
  {
    LambdaWorld world(SettingsFor(""));
    ASSERT_EQ(world.Create("f", R"(,"Timeout":1)").status, 201);
    EXPECT_EQ(world.Ask("f", "linger").empty(), false);
    EXPECT_EQ(world.Ask("f", "served"), "2");
    (void)world.Ask("f", "hang");
    EXPECT_TRUE(Await([&] { return Descendants(getpid()).size() == before; }))
        << "a timeout ends the whole tree";
    EXPECT_EQ(world.Ask("f", "linger").empty(), false);
  }
  EXPECT_EQ(Descendants(getpid()).size(), before);
}

// Without namespaces, as on a machine that gives none.
class PlainSandbox : public testing::Test {
 protected:
  Result<std::unique_ptr<Sandbox>> Start(std::vector<std::string> argv) {
    SandboxOptions options;
    options.dir = dir_.path();
    options.code_dir = "/usr/bin";
    options.argv = std::move(argv);
    options.env = {"PATH=/usr/bin:/bin"};
    return Sandbox::Start(options);
  }
  TempDir dir_ = TempDir::Create("llama-sandbox").value();
};

TEST_F(PlainSandbox, TellsTheProgramsEnd) {
  const auto sandbox = Start({"/bin/sh", "-c", "exit 5"});
  ASSERT_TRUE(sandbox) << sandbox.error().message;
  pollfd fd = {(*sandbox)->end_fd(), POLLIN, 0};
  ASSERT_EQ(poll(&fd, 1, 20'000), 1);
  EXPECT_EQ(WEXITSTATUS((*sandbox)->Status()), 5);
}

TEST_F(PlainSandbox, KillsSessionsThatItsProgramMade) {
  const size_t before = Descendants(getpid()).size();
  const auto sandbox =
      Start({"/bin/sh", "-c", "(setsid sleep 1000 &) ; setsid sleep 1000 & exec sleep 1000"});
  ASSERT_TRUE(sandbox) << sandbox.error().message;
  ASSERT_TRUE(Await([&] { return Descendants(getpid()).size() >= before + 4; }));
  (*sandbox)->Kill();
  EXPECT_EQ(Descendants(getpid()).size(), before);
}

TEST_F(PlainSandbox, NamesTheProgramThatIsNotThere) {
  const auto sandbox = Start({"/nothing/there"});
  ASSERT_FALSE(sandbox);
  EXPECT_EQ(sandbox.error().code, Code::kInvalid);
  EXPECT_EQ(sandbox.error().message, "/nothing/there: No such file or directory");
}

TEST_F(PlainSandbox, RefusesABareRoot) {
  SandboxOptions options;
  options.dir = dir_.path();
  options.code_dir = dir_.path();
  options.bare = true;
  options.argv = {"./bootstrap"};
  const auto sandbox = Sandbox::Start(options);
  ASSERT_FALSE(sandbox);
  EXPECT_NE(sandbox.error().message.find("bare root"), std::string::npos);
}

}  // namespace
}  // namespace llama::emulator
