// A worker that lies about what its command looked up, to have files of this machine sent to it:
// what leaves, in payloads and in objects of the store, is the compile's own and nothing else.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/jobs/testing.h"
#include "tree/tree_testing.h"

namespace llama::daemon {
namespace {

class SourceOnly final : public scan::InputFinder {
 public:
  Result<scan::Inputs> Find(const scan::ScanRequest&) override {
    return scan::Inputs{"fake", {"a.c", "a.h"}};
  }
};

// Notes the bytes of every file that a store's layers and a function's jobs are given.
class WatchedStore final : public store::ObjectStore {
 public:
  Result<bool> Put(const std::string& key, std::string_view bytes,
                   const store::PutOptions& options) override {
    tree::MapSink sink;
    const auto manifest = tree::ReadLayer(key, bytes, sink);
    EXPECT_TRUE(manifest);
    if (manifest) {
      for (const auto& [path, entry] : *manifest) paths.push_back(path);
    }
    return inner_->Put(key, bytes, options);
  }
  Result<std::string> Get(const std::string& key) override { return inner_->Get(key); }
  Result<bool> Exists(const std::string& key) override { return inner_->Exists(key); }
  Result<void> Delete(const std::string& key) override { return inner_->Delete(key); }

  std::vector<std::string> paths;

 private:
  std::unique_ptr<store::ObjectStore> inner_ = store::NewMemoryStore();
};

class HostileWorkerTest : public testing::Test {
 protected:
  HostileWorkerTest()
      : function_([this](const job::Job& job, const job::InvokeOptions&) { return Answer(job); }),
        cloud_(function_) {
    world_.Write("src/a.c", "#include \"a.h\"\n");
    world_.Write("src/a.h", "int a;\n");
  }
  job::Answer Answer(const job::Job& job) {
    ++asked_;
    for (const tree::InlineFile& file : job.view.files) store_.paths.push_back(file.path);
    job::Answer answer;
    answer.outcome = job::Outcome::kRan;
    answer.root = "/w/root";
    answer.lookups_complete = true;
    answer.found = found_;
    answer.absent = absent_;
    answer.outputs = {{world_.Path("src/out.o"), 0644, "object"}};
    return answer;
  }
  void Compile() { (void)jobs_.Run(); }
  // All that left, and nothing of it below `world_` but what is the compile's.
  void ExpectNothingLeft() {
    EXPECT_GT(asked_, 0) << "the worker was never asked";
    for (const std::string& path : store_.paths) {
      EXPECT_TRUE(path == world_.Path("src/a.c") || path == world_.Path("src/a.h") ||
                  path == world_.Path("src/cc") || path == world_.Path("src"))
          << path;
    }
  }

  SourceOnly finder_;
  WatchedStore store_;
  std::unique_ptr<tree::LayerIndex> index_ = tree::LayerIndex::Open("", "test").value();
  std::unique_ptr<files::DigestCache> digests_ =
      files::DigestCache::Open("", SystemClock()).value();
  execute::TreeSync sync_{store_, *index_, *digests_, SystemClock()};
  execute::FakeFunction function_;
  execute::FakeCloud cloud_;
  execute::FunctionExecutor executor_{cloud_, sync_, *index_};
  JobWorld jobs_{"src", finder_, executor_};
  execute::FileWorld& world_ = jobs_.files();
  int asked_ = 0;
  std::vector<std::string> found_;
  std::vector<std::string> absent_;
};

TEST_F(HostileWorkerTest, NothingOfFortyFilesThatAreNoneOfTheCompilesLeaves) {
  std::vector<std::string> targets = {"/etc/shadow",        "/etc/passwd",  "/etc/hostname",
                                      "/proc/self/environ", "/proc/kcore",  "/dev/zero",
                                      "/dev/mem",           "/root/.bashrc"};
  for (const char* name :
       {"home/.ssh/id_rsa", "home/.aws/credentials", "home/.netrc", "home/letter.txt", "other/a.h",
        "other/b.c", "src/.git/config", "src/.env", "src/deep/.secret/key"}) {
    world_.Write(name, "secret");
    targets.push_back(world_.Path(name));
  }
  world_.Write("other/sparse", "");
  ASSERT_EQ(truncate(world_.Path("other/sparse").c_str(), int64_t{1} << 40), 0);
  world_.Write("src/sparse.h", "");
  ASSERT_EQ(truncate(world_.Path("src/sparse.h").c_str(), int64_t{1} << 40), 0);
  ASSERT_EQ(mkfifo(world_.Path("src/fifo.h").c_str(), 0600), 0);
  ASSERT_EQ(symlink(world_.Path("home/letter.txt").c_str(), world_.Path("src/link.h").c_str()), 0);
  ASSERT_EQ(symlink("/etc/shadow", world_.Path("src/shadow.h").c_str()), 0);
  for (const char* name : {"other/sparse", "src/sparse.h", "src/fifo.h", "src/link.h",
                           "src/shadow.h", "src/../home/letter.txt", "src/./../other/b.c"}) {
    targets.push_back(world_.Path(name));
  }
  while (targets.size() < 40) {
    const std::string name = "other/more" + std::to_string(targets.size());
    world_.Write(name, "secret");
    targets.push_back(world_.Path(name));
  }
  for (const std::string& target : targets) {
    for (auto* list : {&absent_, &found_}) {
      absent_.clear();
      found_.clear();
      *list = {target};
      Compile();
    }
  }
  absent_ = targets;
  found_ = targets;
  Compile();
  // Nor with a later job of the same toolchain.
  absent_.clear();
  found_.clear();
  Compile();
  ExpectNothingLeft();
}

TEST_F(HostileWorkerTest, TenThousandNamesCostLittle) {
  world_.Write("other/many", "secret");
  for (int i = 0; i < 10'000; ++i) {
    absent_.push_back(world_.Path("other/many"));
    found_.push_back("/proc/self/fd/" + std::to_string(i));
    found_.push_back(world_.Path("src/made-up-" + std::to_string(i)));
  }
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const auto begin = std::chrono::steady_clock::now();
  Compile();
  const auto took = std::chrono::steady_clock::now() - begin;
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  ExpectNothingLeft();
  // The bounds are the daemon's promise, ten times what it takes here.
  EXPECT_LT(took, std::chrono::seconds(3));
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 300 << 10);
}

}  // namespace
}  // namespace llama::daemon
