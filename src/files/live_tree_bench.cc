// Entries a second after an edit: one file of many is written, and all are asked whether they are
// what they were. The floor is an lstat(2) of each.
#include <benchmark/benchmark.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "files/live_tree.h"

namespace llama::files {
namespace {

constexpr int64_t kFilesOfFolder = 50;

class Files {
 public:
  explicit Files(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const std::string folder = root_ + "/d" + std::to_string(i / kFilesOfFolder);
      CHECK(MakeDirs(folder));
      paths_.push_back(folder + "/f" + std::to_string(i) + ".h");
      Write(static_cast<size_t>(i), "int a;\n");
    }
    const MutexLock lock(tree_.mutex());
    for (const std::string& path : paths_) lookups_.push_back(tree_.Find(kRootFolder, path));
  }

  void Write(size_t number, const std::string& text) {
    CHECK(WriteFileAtomic(paths_[number], text, 0644));
  }
  // Where each path leads and which version of its content that is: as a closure asks.
  uint64_t Look() {
    const MutexLock lock(tree_.mutex());
    tree_.Refresh();
    uint64_t sum = 0;
    for (const LookupId lookup : lookups_) {
      const EntryId entry = tree_.Results(lookup).front().entry;
      CHECK(tree_.ContentOf(entry));
      sum += tree_.ContentVersion(entry);
    }
    return sum;
  }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  TempDir dir_ = TempDir::Create("live-tree-bench").value();
  std::string root_ = *RealPath(dir_.path());
  std::unique_ptr<DigestCache> digests_ = DigestCache::Open("", SystemClock()).value();
  LiveTree tree_{*digests_, SystemClock()};
  std::vector<std::string> paths_;
  std::vector<LookupId> lookups_;
};

// The second argument: how many of them are edited before each look.
void LookAfterEdits(benchmark::State& state) {
  Files files(state.range(0));
  files.Look();
  int64_t edits = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (int64_t i = 0; i < state.range(1); ++i) {
      files.Write(static_cast<size_t>(i), "int v" + std::to_string(edits++) + ";\n");
    }
    state.ResumeTiming();
    benchmark::DoNotOptimize(files.Look());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(LookAfterEdits)
    ->Args({5000, 0})
    ->Args({5000, 1})
    ->Args({5000, 100})
    ->Iterations(100)
    ->Unit(benchmark::kMicrosecond);

void LstatOfEach(benchmark::State& state) {
  const Files files(state.range(0));
  for (auto _ : state) {
    for (const std::string& path : files.paths()) {
      struct stat st {};
      CHECK(lstat(path.c_str(), &st) == 0);
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(LstatOfEach)->Arg(5000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace llama::files
