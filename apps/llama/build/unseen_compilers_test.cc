#include "llama/build/unseen_compilers.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/file.h"

namespace llama::app {
namespace {

constexpr const char* kMasquerade = "/state/masquerade";

// A process that waits to be killed, by a program of that name, called by that path.
pid_t StartWaiting(const std::string& path, const std::string& search_path) {
  std::filesystem::copy_file("/bin/sleep", path, std::filesystem::copy_options::skip_existing);
  const pid_t pid = fork();
  if (pid == 0) {
    setenv("PATH", search_path.c_str(), 1);
    execl(path.c_str(), path.c_str(), "100", nullptr);
    _exit(127);
  }
  // Until it is that program, for ten seconds at most.
  const std::string exe = "/proc/" + std::to_string(pid) + "/exe";
  for (int looks = 0; looks < 10'000; ++looks) {
    if (const auto target = ReadLink(exe); target && *target == path) return pid;
    usleep(1000);
  }
  ADD_FAILURE() << path << " did not start";
  return pid;
}

void End(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

TEST(UnseenCompilersTest, FindsOneThatRuns) {
  const TempDir dir = TempDir::Create("unseen").value();
  const std::string compiler = dir.path() + "/x86_64-linux-gnu-g++-12";
  const std::string in_build = std::string(kMasquerade) + ":/usr/bin";
  const pid_t other = StartWaiting(dir.path() + "/generator", in_build);
  // That which the wrapper became.
  const pid_t ours = StartWaiting(compiler, "/usr/bin");
  EXPECT_EQ(FindRunningCompiler(getpid(), kMasquerade), std::nullopt);
  const pid_t unseen = StartWaiting(compiler, in_build);
  EXPECT_EQ(FindRunningCompiler(getpid(), kMasquerade), compiler);
  EXPECT_EQ(FindRunningCompiler(other, kMasquerade), std::nullopt);
  for (const pid_t pid : {unseen, ours, other}) End(pid);
}

TEST(UnseenCompilersTest, KnowsCMakesFolder) {
  const TempDir dir = TempDir::Create("unseen").value();
  const std::string tree = dir.path() + "/out";
  ASSERT_TRUE(MakeDirs(tree, 0700));
  EXPECT_EQ(CMakeTreeOf({"ninja", "-C", "out"}, dir.path()), "");
  ASSERT_TRUE(WriteFileAtomic(tree + "/CMakeCache.txt", "", 0600));
  EXPECT_EQ(CMakeTreeOf({"ninja", "-C", "out"}, dir.path()), tree);
  EXPECT_EQ(CMakeTreeOf({"make", "-Cout", "-j4"}, dir.path()), tree);
  EXPECT_EQ(CMakeTreeOf({"cmake", "--build", tree}, "/"), tree);
  EXPECT_EQ(CMakeTreeOf({"ninja"}, tree), tree);
  EXPECT_EQ(CMakeTreeOf({"ninja"}, dir.path()), "");
}

TEST(UnseenCompilersTest, SaysWhatToDo) {
  EXPECT_EQ(UnseenText("/usr/bin/c++", "/w/my out", "/opt/llamacc"),
            "the build runs /usr/bin/c++ by its path, so nothing is compiled by llama; for this "
            "tree, once: cmake -DCMAKE_C_COMPILER_LAUNCHER=/opt/llamacc "
            "-DCMAKE_CXX_COMPILER_LAUNCHER=/opt/llamacc '/w/my out'");
  EXPECT_NE(UnseenText("/usr/bin/cc", "", "/opt/llamacc").find("CC=llamacc"), std::string::npos);
}

}  // namespace
}  // namespace llama::app
