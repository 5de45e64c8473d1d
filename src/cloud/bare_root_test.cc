// The real worker, started by the pool where there is nothing: a chroot that holds llama-runtime,
// /dev/null and an empty /tmp, as user nobody.
#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/file.h"
#include "cloud/local_pool.h"
#include "worker/run/shipped_programs_testing.h"

namespace llama::cloud {
namespace {

// Whether the program needs no interpreter: no PT_INTERP among its program headers.
bool IsStatic(const std::string& program) {
  const Result<std::string> bytes = ReadFile(program);
  Elf64_Ehdr head{};
  if (!bytes || bytes->size() < sizeof head) return false;
  std::memcpy(&head, bytes->data(), sizeof head);
  for (size_t i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr segment{};
    const size_t at = head.e_phoff + i * sizeof segment;
    if (at + sizeof segment > bytes->size()) return false;
    std::memcpy(&segment, bytes->data() + at, sizeof segment);
    if (segment.p_type == PT_INTERP) return false;
  }
  return true;
}

class RealWorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::make_unique<TempDir>(std::move(TempDir::Create("real")).value());
    options_.worker_program = LLAMA_RUNTIME_PROGRAM;
    options_.dir = dir_->path() + "/workers";
  }

  void Start() { pool_ = LocalPool::Start(options_, *store_).value(); }
  // What workers have below the pool's own folder.
  std::vector<std::string> Left() const {
    const auto pools = ListDir(options_.dir);
    EXPECT_TRUE(pools && pools->size() == 1);
    return *ListDir(options_.dir + "/" + pools->at(0));
  }

  // Why it can't be had; empty if it is there.
  std::string MakeBareRoot() {
    root_ = dir_->path() + "/root";
    if (getuid() != 0) return "only root may change the root";
    if (!IsStatic(options_.worker_program)) return "the worker is not static in this build";
    const Result<std::string> program = ReadFile(options_.worker_program);
    EXPECT_TRUE(program);
    EXPECT_TRUE(MakeDirs(root_ + "/dev") && MakeDirs(root_ + "/tmp"));
    EXPECT_EQ(chmod((root_ + "/tmp").c_str(), 01777), 0);
    EXPECT_TRUE(WriteFileAtomic(root_ + "/llama-runtime", *program, 0555));
    const std::string null = root_ + "/dev/null";
    if (mknod(null.c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0) return "no device may be made";
    EXPECT_EQ(chmod(null.c_str(), 0666), 0);
    options_.launcher = {"chroot", "--userspec=65534:65534", root_};
    options_.worker_program = "/llama-runtime";
    return "";
  }

  job::Answer Run(const job::Job& job) {
    Result<job::Invocation> invoked = pool_->Invoke(job::EncodeJob(job), {});
    EXPECT_TRUE(invoked) << invoked.error().message;
    if (!invoked) return {};
    Result<job::Answer> answer = job::DecodeAnswer(invoked->payload);
    EXPECT_TRUE(answer);
    EXPECT_EQ(answer->outcome, job::Outcome::kRan) << answer->error;
    return std::move(answer).value();
  }

  std::unique_ptr<TempDir> dir_;
  std::string root_;
  std::unique_ptr<store::ObjectStore> store_ = store::NewMemoryStore();
  LocalPoolOptions options_;
  std::unique_ptr<LocalPool> pool_;
};

// A compile of a source without headers, which needs but the driver, cc1 and as.
job::Job CompileJob(store::ObjectStore& store) {
  const auto path_of = [](const std::string& text) { return text.substr(0, text.find('\n')); };
  const std::string cc1 = path_of(worker::OutputOf({"/usr/bin/gcc", "-print-prog-name=cc1"}));
  const tree::LayerRef layer = worker::Ship(store, {"/usr/bin/gcc", cc1, "/usr/bin/as"});
  const std::string mark(1, kRootMark);
  job::Job job = worker::ShellJob(layer, "");
  job.program = worker::CanonicalPath("/usr/bin/gcc");
  job.argv = {mark + "/usr/bin/gcc", "-O2", "-ffreestanding", "-c", "a.c", "-o", "a.o"};
  job.view.files = {{"/job/a.c", false, "int twice(int x) { return 2 * x; }\n"}};
  return job;
}

TEST_F(RealWorkerTest, CompilesInABareRootAsNobody) {
  if (const std::string why = MakeBareRoot(); !why.empty()) GTEST_SKIP() << why;
  Start();
  const job::Job job = CompileJob(*store_);
  const job::Answer answer = Run(job);
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_EQ(answer.err, "");
  EXPECT_TRUE(answer.lookups_complete);
  ASSERT_EQ(answer.outputs.size(), 1u);

  const std::string local = dir_->path() + "/local";
  ASSERT_TRUE(MakeDirs(local));
  ASSERT_TRUE(WriteFileAtomic(local + "/a.c", job.view.files[0].bytes, 0644));
  ProcessOptions compile;
  compile.program = "/usr/bin/gcc";
  compile.argv = {"gcc", "-O2", "-ffreestanding", "-c", "a.c", "-o", "a.o"};
  compile.env = {"PATH=/usr/bin:/bin"};
  compile.cwd = local;
  ASSERT_EQ(RunProcess(compile)->status, 0);
  EXPECT_TRUE(answer.outputs[0].bytes == ReadFile(local + "/a.o").value());

  EXPECT_FALSE(Run(job).worker.cold_start);
  pool_.reset();
  EXPECT_TRUE(ListDir(root_ + "/tmp")->empty());
}

TEST_F(RealWorkerTest, EndsWithTheOneItWorksForAndTidiesUp) {
  Start();
  const tree::LayerRef layer = worker::Ship(*store_, {"/bin/sh", "/bin/sleep"});
  const job::Answer ran = Run(worker::ShellJob(layer, "echo hello"));
  EXPECT_EQ(ran.out, "hello\n");
  EXPECT_TRUE(ran.worker.cold_start);
  job::InvokeOptions invoke;
  int polls = 0;
  invoke.cancelled = [&] { return ++polls > 3; };
  Result<job::Invocation> cancelled =
      pool_->Invoke(job::EncodeJob(worker::ShellJob(layer, "sleep 1000 & sleep 1000")), invoke);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Code::kCancelled);
  EXPECT_TRUE(Left().empty());
  EXPECT_EQ(Run(worker::ShellJob(layer, "echo again")).out, "again\n");
  pool_.reset();
  EXPECT_NE(access(options_.dir.c_str(), F_OK), 0);
}

TEST_F(RealWorkerTest, KeepsFoldersNeitherOfItselfNorOfWorkersThatWereKilled) {
  Start();
  const tree::LayerRef layer = worker::Ship(*store_, {"/bin/sh"});
  // The command's parent is the worker.
  Result<job::Invocation> invoked = pool_->Invoke(
      job::EncodeJob(worker::ShellJob(layer, "kill -9 $PPID; while :; do :; done")), {});
  ASSERT_FALSE(invoked);
  EXPECT_EQ(invoked.error().code, Code::kUnavailable);
  EXPECT_NE(invoked.error().message.find("signal 9"), std::string::npos);
  EXPECT_TRUE(Left().empty());
}

}  // namespace
}  // namespace llama::cloud
