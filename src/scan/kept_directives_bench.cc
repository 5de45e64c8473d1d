// What finding closures costs a new daemon, by what an earlier one left: of every source below
// src/daemon, run from the repository's root, with the search path of the g++ here.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "scan/closure.h"

namespace llama::scan {
namespace {

std::vector<ClosureRequest> Requests() {
  const std::string root = std::filesystem::current_path();
  auto path = std::make_shared<SearchPath>();
  path->id = 1;
  path->quote = {root + "/src"};
  ProcessOptions options;
  options.program = "/bin/sh";
  options.env = {"PATH=/usr/bin:/bin"};
  options.argv = {"sh", "-c",
                  "g++ -xc++ -v -E /dev/null 2>&1 | sed -n 's/^ \\(\\/[^ ]*\\)$/\\1/p'"};
  const auto folders = RunProcess(options);
  CHECK(folders.has_value());
  for (size_t at = 0, end; (end = folders->out.find('\n', at)) != std::string::npos; at = end + 1) {
    path->angle.push_back(folders->out.substr(at, end - at));
  }
  std::vector<ClosureRequest> requests;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root + "/src/daemon")) {
    if (entry.path().extension() != ".cc") continue;
    ClosureRequest request;
    request.preprocessing.path = path;
    request.source = entry.path();
    request.cwd = root;
    requests.push_back(std::move(request));
  }
  CHECK(!requests.empty());
  return requests;
}

struct Daemon {
  explicit Daemon(const std::string& state)
      : digests(*files::DigestCache::Open(state + "/digests", SystemClock())),
        cache(*DirectivesCache::Open(state + "/directives")),
        tree(*digests, SystemClock(), {}),
        closures(tree, cache.get()) {}
  std::unique_ptr<files::DigestCache> digests;
  std::unique_ptr<DirectivesCache> cache;
  files::LiveTree tree;
  Closures closures;
};

void FindAll(benchmark::State& state, bool keeps_digests, bool keeps_directives) {
  const std::vector<ClosureRequest> requests = Requests();
  const TempDir dir = *TempDir::Create("bench");
  size_t files = 0;
  const auto find_all = [&] {
    files = 0;
    Daemon daemon(dir.path());
    for (const ClosureRequest& request : requests) {
      const auto closure = daemon.closures.Find(request);
      CHECK(closure.has_value());
      files += (*closure)->file_count;
    }
  };
  find_all();
  for (auto _ : state) {
    state.PauseTiming();
    if (!keeps_digests) CHECK(RemoveTree(dir.path() + "/digests").has_value());
    if (!keeps_directives) CHECK(RemoveTree(dir.path() + "/directives").has_value());
    state.ResumeTiming();
    find_all();
  }
  state.counters["units"] = static_cast<double>(requests.size());
  state.counters["files"] = static_cast<double>(files);
}

void NothingKept(benchmark::State& state) { FindAll(state, false, false); }
BENCHMARK(NothingKept)->Unit(benchmark::kMillisecond);

void DigestsKept(benchmark::State& state) { FindAll(state, true, false); }
BENCHMARK(DigestsKept)->Unit(benchmark::kMillisecond);

void BothKept(benchmark::State& state) { FindAll(state, true, true); }
BENCHMARK(BothKept)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace llama::scan
