#include "worker/run/worker_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "base/file.h"

namespace llama::worker {
namespace {

class WorkerDirTest : public testing::Test {
 protected:
  // A worker that has claimed its folder; it lives until it is killed.
  pid_t StartWorker() {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      const auto dir = WorkerDir::Claim(temp_.path());
      if (dir && MakeDirs(dir->path() + "/m/root")) (void)!write(ready[1], "x", 1);
      while (true) pause();
    }
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
  }
  static void Kill(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  std::vector<std::string> Names() { return *ListDir(temp_.path()); }

  TempDir temp_ = *TempDir::Create("worker-dir");
};

TEST_F(WorkerDirTest, TheFirstHasTheUsualNameAndTheOthersTheirNumbers) {
  const pid_t first = StartWorker();
  const pid_t second = StartWorker();
  EXPECT_EQ(Names(), (std::vector<std::string>{"llama-" + std::to_string(second), "llama-worker"}));
  Kill(first);
  Kill(second);
  EXPECT_EQ(WorkerDir::Claim(temp_.path())->path(), temp_.path() + "/llama-worker");
}

TEST_F(WorkerDirTest, FoldersOfTheKilledGoAndThoseOfTheLivingStay) {
  const pid_t first = StartWorker();
  const pid_t living = StartWorker();
  const pid_t killed = StartWorker();
  Kill(killed);
  ASSERT_TRUE(MakeDirs(temp_.path() + "/llama-other"));
  const pid_t next = StartWorker();
  const std::vector<std::string> names = Names();
  EXPECT_EQ(names.size(), 4u);
  for (const std::string& name : names) EXPECT_NE(name, "llama-" + std::to_string(killed));
  EXPECT_TRUE(access((temp_.path() + "/llama-" + std::to_string(living) + "/m").c_str(), F_OK) ==
              0);
  for (const pid_t pid : {first, living, next}) Kill(pid);
}

}  // namespace
}  // namespace llama::worker
