// Checks a second of an answer that agrees, with as many lookups as a C++ compile has: by the live
// tree, as the daemon does it, and path by path, which is the floor (an lstat(2) of each) and more.
#include <benchmark/benchmark.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "execute/check.h"
#include "files/live_tree.h"

namespace llama::execute {
namespace {

constexpr int64_t kHeadersOfFolder = 20;
constexpr int64_t kMisses = 3;  // folders of the search path before the one that has a header

class Answer {
 public:
  explicit Answer(int64_t headers) : shippable_(LocalFileSystem()) {
    auto closure = std::make_shared<Closure>();
    files::PathWalker scan(*digests_);
    std::vector<std::string>& found = outcome_.lookups.found;
    std::vector<std::string>& absent = outcome_.lookups.absent;
    for (int64_t i = 0; i < headers; ++i) {
      const std::string folder = "/d" + std::to_string(i / kHeadersOfFolder);
      const std::string name = folder + "/h" + std::to_string(i) + ".h";
      CHECK(MakeDirs(root_ + "/inc" + folder));
      found.push_back(root_ + "/inc" + name);
      CHECK(WriteFileAtomic(found.back(), "int a;\n", 0644));
      CHECK(scan.Add(found.back()));
      for (int64_t miss = 0; miss < kMisses; ++miss) {
        CHECK(MakeDirs(root_ + "/other" + std::to_string(miss) + folder));
        absent.push_back(root_ + "/other" + std::to_string(miss) + name);
      }
    }
    std::sort(found.begin(), found.end());
    std::sort(absent.begin(), absent.end());
    outcome_.lookups.complete = true;
    closure->own = scan.manifest();
    closure->stamps = scan.stamps();
    action_.closure = std::move(closure);
    shippable_.AddFolder(root_);
  }

  void Check(bool by_live_tree) {
    files::PathWalker walker(*digests_);
    CheckRequest request{&action_, &outcome_, &walker, &LocalFileSystem(), &shippable_};
    if (by_live_tree) {
      request.canonical = [this](const std::vector<std::string>& paths) {
        const MutexLock lock(tree_.mutex());
        tree_.Refresh();
        return tree_.CanonicalNow(paths);
      };
    }
    const auto finding = execute::Check(request);
    CHECK(finding && std::holds_alternative<Agrees>(*finding));
  }
  size_t lookups() const { return outcome_.lookups.found.size() + outcome_.lookups.absent.size(); }
  void LstatAll() const {
    for (const auto* paths : {&outcome_.lookups.found, &outcome_.lookups.absent}) {
      for (const std::string& path : *paths) {
        struct stat st {};
        benchmark::DoNotOptimize(lstat(path.c_str(), &st));
      }
    }
  }

 private:
  TempDir dir_ = TempDir::Create("check-bench").value();
  std::string root_ = *RealPath(dir_.path());
  std::unique_ptr<files::DigestCache> digests_ =
      files::DigestCache::Open("", SystemClock()).value();
  files::LiveTree tree_{*digests_, SystemClock()};
  Shippable shippable_;
  Action action_;
  Outcome outcome_;
};

template <typename Look>
void Run(benchmark::State& state, Look look) {
  Answer answer(state.range(0));
  look(answer);
  for (auto _ : state) look(answer);
  state.counters["checks"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["lookups"] = static_cast<double>(answer.lookups());
}

void ByLiveTree(benchmark::State& state) {
  Run(state, [](Answer& answer) { answer.Check(true); });
}
BENCHMARK(ByLiveTree)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

void PathByPath(benchmark::State& state) {
  Run(state, [](Answer& answer) { answer.Check(false); });
}
BENCHMARK(PathByPath)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

void LstatOfEach(benchmark::State& state) {
  Run(state, [](const Answer& answer) { answer.LstatAll(); });
}
BENCHMARK(LstatOfEach)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace llama::execute
