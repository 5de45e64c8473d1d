#include "cloud/local_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/file.h"
#include "cloud/fake_worker.h"
#include "job/invocation_testing.h"

namespace llama::cloud {
namespace {

using job::DetailOf;

// Whether the process runs; a zombie that nobody has reaped yet doesn't.
bool Runs(const std::string& pid) {
  Result<std::string> stat = ReadFile("/proc/" + pid + "/stat");
  if (!stat) return false;
  const size_t end = stat->rfind(") ");
  return end != std::string::npos && (*stat)[end + 2] != 'Z';
}

template <typename Condition>
void Await(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

class LocalPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::make_unique<TempDir>(std::move(TempDir::Create("pool")).value());
    options_.launcher = FakeWorkerCommand();
    options_.worker_program = "worker";
    options_.dir = dir_->path() + "/workers";
    options_.max_workers = 2;
    ASSERT_TRUE(store_->Put("layers/one", "object one"));
  }

  LocalPool& Start() {
    Result<std::unique_ptr<LocalPool>> pool = LocalPool::Start(options_, *store_);
    EXPECT_TRUE(pool);
    pool_ = std::move(pool).value();
    return *pool_;
  }

  Result<job::Invocation> Invoke(std::string_view payload, int64_t timeout_ms = 30'000) {
    job::InvokeOptions invoke;
    invoke.timeout_ms = timeout_ms;
    return pool_->Invoke(payload, invoke);
  }

  std::string Path(const std::string& name) const { return dir_->path() + "/" + name; }
  // What workers have below the pool's own folder.
  std::vector<std::string> Left() const {
    const auto pools = ListDir(options_.dir);
    EXPECT_TRUE(pools && pools->size() == 1);
    return *ListDir(options_.dir + "/" + pools->at(0));
  }
  bool Exists(const std::string& name) const { return access(Path(name).c_str(), F_OK) == 0; }
  void Touch(const std::string& name) { ASSERT_TRUE(WriteFileAtomic(Path(name), "", 0600)); }

  std::unique_ptr<TempDir> dir_;
  std::unique_ptr<store::ObjectStore> store_ = store::NewMemoryStore();
  LocalPoolOptions options_;
  std::unique_ptr<LocalPool> pool_;
};

TEST_F(LocalPoolTest, StartsAWorkerOnceAndKeepsItWarm) {
  Start();
  Result<job::Invocation> first = Invoke("echo hello");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->payload, "hello");
  EXPECT_TRUE(first->cold_start);
  EXPECT_GT(first->init_ns, 0);
  EXPECT_GT(DetailOf(*first, "billed_ms"), 0);
  EXPECT_EQ(DetailOf(*first, "memory_mb"), options_.memory_mb);
  Result<job::Invocation> second = Invoke("echo again");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->payload, "again");
  EXPECT_FALSE(second->cold_start);
  EXPECT_EQ(second->init_ns, 0);
  EXPECT_EQ(pool_->stats().started, 1);
  EXPECT_EQ(pool_->stats().workers, 1);
  EXPECT_EQ(pool_->stats().busy, 0);
}

TEST_F(LocalPoolTest, CarriesAnyBytes) {
  Start();
  std::string bytes(5 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
  Result<job::Invocation> invoked = Invoke("echo " + bytes);
  ASSERT_TRUE(invoked);
  EXPECT_TRUE(invoked->payload == bytes);
}

TEST_F(LocalPoolTest, ServesTheStore) {
  Start();
  EXPECT_EQ(Invoke("get layers/one")->payload, "object one");
  EXPECT_EQ(Invoke("get layers/two")->payload, "not found");
  EXPECT_EQ(pool_->stats().store_gets, 2);
  EXPECT_EQ(pool_->stats().store_get_bytes, 10);
}

TEST_F(LocalPoolTest, WaitingCallsAreServedInTheirOrder) {
  options_.max_workers = 1;
  Start();
  std::thread holder([&] { EXPECT_TRUE(Invoke("until " + Path("go"))); });
  Await([&] { return pool_->stats().busy == 1; });
  std::vector<std::thread> callers;
  for (int i = 0; i < 5; ++i) {
    callers.emplace_back([&, i] {
      Result<job::Invocation> invoked = Invoke("append " + Path("order") + " " + std::to_string(i));
      ASSERT_TRUE(invoked);
      EXPECT_GT(invoked->queued_ns, 0);
    });
    Await([&] { return pool_->stats().waiting == i + 1; });
  }
  Touch("go");
  holder.join();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(ReadFile(Path("order")).value(), "01234");
  EXPECT_EQ(pool_->stats().started, 1);
}

TEST_F(LocalPoolTest, RunsUpToItsLimitAtOnce) {
  Start();
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] { EXPECT_TRUE(Invoke("until " + Path("go"))); });
  }
  Await([&] { return pool_->stats().busy == 2 && pool_->stats().waiting == 1; });
  EXPECT_EQ(pool_->stats().workers, 2);
  Touch("go");
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(pool_->stats().started, 2);
}

TEST_F(LocalPoolTest, AWorkerThatDiesInAJobFailsItAndLeavesNothing) {
  Start();
  // The orphan is in a process group of its own, as a compiler's child would be.
  Result<job::Invocation> invoked = Invoke("orphan-and-die " + Path("orphan"));
  ASSERT_FALSE(invoked);
  EXPECT_EQ(invoked.error().code, Code::kUnavailable);
  EXPECT_NE(invoked.error().message.find("killed by signal 9"), std::string::npos)
      << invoked.error().message;
  const std::string orphan = ReadFile(Path("orphan")).value();
  ASSERT_FALSE(orphan.empty());
  EXPECT_FALSE(Runs(orphan));
  EXPECT_EQ(pool_->stats().crashed, 1);
  EXPECT_EQ(pool_->stats().workers, 0);
  EXPECT_TRUE(Left().empty());
  EXPECT_TRUE(Invoke("echo x")->cold_start);
}

TEST_F(LocalPoolTest, AWorkerThatDiesIdleIsReplacedUnnoticed) {
  Start();
  const std::string pid = Invoke("pid")->payload;
  ASSERT_EQ(kill(std::stoi(pid), SIGKILL), 0);
  // A signal takes its time; one that dies only with the job in its hands is another case.
  siginfo_t dead{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(std::stoi(pid)), &dead, WEXITED | WNOWAIT), 0);
  Result<job::Invocation> next = Invoke("pid");
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_NE(next->payload, pid);
  EXPECT_TRUE(next->cold_start);
}

TEST_F(LocalPoolTest, CancellingEndsTheJob) {
  Start();
  job::InvokeOptions invoke;
  invoke.cancelled = [&] { return Exists("orphan"); };
  Result<job::Invocation> invoked = pool_->Invoke("orphan-and-wait " + Path("orphan"), invoke);
  ASSERT_FALSE(invoked);
  EXPECT_EQ(invoked.error().code, Code::kCancelled);
  EXPECT_FALSE(Runs(ReadFile(Path("orphan")).value()));
  EXPECT_EQ(pool_->stats().crashed, 0);
  EXPECT_TRUE(Invoke("echo x"));
}

TEST_F(LocalPoolTest, CancellingEndsTheWaitForAWorker) {
  options_.max_workers = 1;
  Start();
  std::thread holder([&] { EXPECT_TRUE(Invoke("until " + Path("go"))); });
  Await([&] { return pool_->stats().busy == 1; });
  job::InvokeOptions invoke;
  invoke.cancelled = [] { return true; };
  EXPECT_EQ(pool_->Invoke("echo x", invoke).error().code, Code::kCancelled);
  EXPECT_EQ(Invoke("echo x", 50).error().code, Code::kDeadline);
  Touch("go");
  holder.join();
}

TEST_F(LocalPoolTest, AWorkerThatDoesNotAnswerIsKilledInTime) {
  options_.grace_ms = 50;
  Start();
  Result<job::Invocation> invoked = Invoke("hang", 500);
  ASSERT_FALSE(invoked);
  EXPECT_EQ(invoked.error().code, Code::kDeadline);
  EXPECT_EQ(pool_->stats().workers, 0);
}

TEST_F(LocalPoolTest, AnErrorIsTheJobsAndNotTheWorkers) {
  Start();
  Result<job::Invocation> invoked = Invoke("fail");
  ASSERT_FALSE(invoked);
  EXPECT_EQ(invoked.error().code, Code::kRemoteFailed);
  EXPECT_NE(invoked.error().message.find("as it was told"), std::string::npos);
  EXPECT_FALSE(Invoke("echo x")->cold_start);
}

TEST_F(LocalPoolTest, HostileAnswersCostTheWorkerOnly) {
  options_.grace_ms = 50;
  Start();
  const char* const kAnswers[] = {
      "garbage\r\n\r\n",
      "POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc",
      ("POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\n"
       "Content-Length: 999999999999\r\n\r\n"),
      "POST /2018-06-01/runtime/invocation/77/response HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
      "GET /etc/passwd HTTP/1.1\r\n\r\n",
      "DELETE /llama/store/layers/one HTTP/1.1\r\n\r\n",
      "",
  };
  for (const char* answer : kAnswers) {
    Result<job::Invocation> invoked = Invoke("raw " + std::string(answer));
    ASSERT_FALSE(invoked) << answer;
    EXPECT_EQ(invoked.error().code, Code::kUnavailable) << answer;
    EXPECT_EQ(Invoke("echo x")->payload, "x");
  }
  EXPECT_TRUE(store_->Exists("layers/one").value());
}

TEST_F(LocalPoolTest, StoreKeysCannotLeaveTheStore) {
  Start();
  Result<job::Invocation> invoked = Invoke("raw-get ../../../etc/passwd");
  ASSERT_TRUE(invoked) << invoked.error().message;
  EXPECT_EQ(invoked->payload.substr(0, 10), "HTTP/1.1 5");
}

struct BadStart {
  std::vector<std::string> launcher;
  const char* message;
};

TEST_F(LocalPoolTest, StartsThatFailAreReportedAndNotRepeatedWithoutEnd) {
  const BadStart kStarts[] = {
      {{"/nowhere/launcher"}, "/nowhere/launcher"},
      {{"/bin/sh", "-c", "echo out of luck >&2; exit 3"}, "exited with status 3: out of luck"},
  };
  for (const BadStart& start : kStarts) {
    options_.launcher = start.launcher;
    Start();
    for (int i = 0; i < 3; ++i) {
      Result<job::Invocation> invoked = Invoke("echo x");
      ASSERT_FALSE(invoked);
      EXPECT_EQ(invoked.error().code, Code::kUnavailable);
      EXPECT_NE(invoked.error().message.find(start.message), std::string::npos)
          << invoked.error().message;
    }
    EXPECT_EQ(Invoke("echo x").error().message, "workers do not start");
    EXPECT_EQ(pool_->stats().started, 3);
    EXPECT_EQ(pool_->stats().workers, 0);
    EXPECT_TRUE(Left().empty());
    pool_.reset();
  }
}

TEST_F(LocalPoolTest, IdleWorkersAreLetGo) {
  options_.idle_timeout_ms = 1;
  Start();
  const std::string pid = Invoke("pid")->payload;
  Await([&] { return pool_->stats().workers == 0; });
  EXPECT_FALSE(Runs(pid));
  EXPECT_TRUE(Left().empty());
}

TEST_F(LocalPoolTest, EndsWithJobsUnderWay) {
  LocalPool& pool = Start();
  std::thread running([&] {
    Result<job::Invocation> invoked = pool.Invoke("orphan-and-wait " + Path("orphan"), {});
    EXPECT_EQ(invoked.error().code, Code::kCancelled);
  });
  Await([&] { return Exists("orphan"); });
  pool_.reset();
  running.join();
  EXPECT_FALSE(Runs(ReadFile(Path("orphan")).value()));
  EXPECT_FALSE(Exists("workers"));
}

TEST_F(LocalPoolTest, RemovesWhatAnEarlierPoolLeft) {
  ASSERT_TRUE(MakeDirs(options_.dir + "/7/mirror"));
  ASSERT_TRUE(WriteFileAtomic(options_.dir + "/7.log", "", 0600));
  Start();
  EXPECT_TRUE(Left().empty());
}

TEST_F(LocalPoolTest, LeavesTheFolderOfAPoolThatIsStillThere) {
  Start();
  const std::string first = Invoke("pid")->payload;
  const auto workers = [&] { return ListDir(options_.dir)->size(); };
  Result<std::unique_ptr<LocalPool>> second = LocalPool::Start(options_, *store_);
  ASSERT_TRUE(second);
  EXPECT_EQ(workers(), 2u);
  EXPECT_EQ(Invoke("pid")->payload, first);
  pool_.reset();
  EXPECT_EQ(workers(), 1u);
  EXPECT_EQ((*second)->Invoke("echo x", {})->payload, "x");
}

// The folder, or what a worker has in it, goes: that is who begins anew.
TEST_F(LocalPoolTest, AWorkerWhoseFolderIsGoneIsNotUsedAgain) {
  Start();
  ASSERT_TRUE(Invoke("echo x"));
  ASSERT_TRUE(RemoveTree(options_.dir));
  const Result<job::Invocation> next = Invoke("echo x");
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_TRUE(next->cold_start);
  EXPECT_FALSE(Invoke("echo x")->cold_start);
  ASSERT_TRUE(RemoveTree(options_.dir + "/" + ListDir(options_.dir)->at(0) + "/2"));
  EXPECT_TRUE(Invoke("echo x")->cold_start);
  pool_.reset();
  EXPECT_FALSE(Exists("workers"));
}

TEST_F(LocalPoolTest, TouchesOnlyWhatItHasMade) {
  Start();
  ASSERT_TRUE(Invoke("echo x"));
  const std::string pool = ListDir(options_.dir)->at(0);
  ASSERT_EQ(rename(options_.dir.c_str(), Path("moved").c_str()), 0);
  ASSERT_TRUE(MakeDirs(options_.dir + "/" + pool + "/1"));
  Touch("workers/" + pool + "/1/another's");
  pool_.reset();
  EXPECT_TRUE(Exists("workers/" + pool + "/1/another's"));
  EXPECT_FALSE(Exists("moved/" + pool));
}

TEST_F(LocalPoolTest, ManyCallersAtOnce) {
  Start();
  std::vector<std::thread> callers;
  for (int i = 0; i < 60; ++i) {
    callers.emplace_back([&, i] {
      const std::string text = std::to_string(i);
      Result<job::Invocation> invoked = Invoke(i % 20 == 19 ? "die" : "echo " + text);
      if (i % 20 == 19) {
        EXPECT_EQ(invoked.error().code, Code::kUnavailable);
      } else {
        EXPECT_EQ(invoked->payload, text);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(pool_->stats().crashed, 3);
  EXPECT_LE(pool_->stats().workers, 2);
}

}  // namespace
}  // namespace llama::cloud
