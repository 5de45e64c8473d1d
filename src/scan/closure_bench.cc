// Closures a second of a project whose sources reach the same headers, as a C++ project's do:
// looked at again after nothing happened and after something did, and made for a source that is
// new. The floor is a stat(2) of each file, which is the least that it takes without being told.
#include <benchmark/benchmark.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "files/live_tree.h"
#include "scan/closure.h"

namespace llama::scan {
namespace {

constexpr int64_t kHeadersOfFolder = 20;
constexpr int64_t kSystemFolders = 6;  // of the search path, in which hardly anything is found

class Project {
 public:
  explicit Project(int64_t headers) {
    auto path = std::make_shared<SearchPath>();
    path->id = 1;
    for (int64_t i = 0; i < kSystemFolders; ++i) path->angle.push_back(MakeFolder("system", i));
    for (int64_t i = 0; i < headers; ++i) {
      // Each includes three that come later, by their folder's name, and one that is nowhere.
      std::string text = "#pragma once\n#ifdef NEVER\n#include <nowhere.h>\n#endif\n";
      for (const int64_t other : {i + 1, i + 7, i * 2 + 1}) {
        if (other < headers) text += "#include \"" + NameOf(other) + "\"\n";
      }
      if (i % kHeadersOfFolder == 0) MakeFolder("inc/d", i / kHeadersOfFolder);
      headers_.push_back(Write("inc/" + NameOf(i), text));
    }
    path->angle.push_back(root_ + "/inc");
    request_.preprocessing.path = std::move(path);
    request_.cwd = root_;
  }

  std::string AddSource() {
    return Write("s" + std::to_string(sources_++) + ".cc", "#include \"" + NameOf(0) + "\"\n");
  }
  std::string Write(const std::string& name, const std::string& text) {
    CHECK(WriteFileAtomic(root_ + "/" + name, text, 0644));
    return root_ + "/" + name;
  }
  std::shared_ptr<const Closure> Find(const std::string& source) {
    request_.source = source;
    auto closure = closures_.Find(request_);
    CHECK(closure);
    return *closure;
  }
  const std::vector<std::string>& headers() const { return headers_; }

 private:
  static std::string NameOf(int64_t i) {
    return "d" + std::to_string(i / kHeadersOfFolder) + "/h" + std::to_string(i) + ".h";
  }
  std::string MakeFolder(const std::string& prefix, int64_t number) {
    std::string folder = root_ + "/" + prefix + std::to_string(number);
    CHECK(MakeDirs(folder));
    return folder;
  }

  TempDir dir_ = TempDir::Create("closure-bench").value();
  std::string root_ = *RealPath(dir_.path());
  std::unique_ptr<files::DigestCache> digests_ =
      files::DigestCache::Open("", SystemClock()).value();
  files::LiveTree tree_{*digests_, SystemClock()};
  Closures closures_{tree_};
  ClosureRequest request_;
  std::vector<std::string> headers_;
  int sources_ = 0;
};

void Count(benchmark::State& state) {
  state.counters["closures"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void Unchanged(benchmark::State& state) {
  Project project(state.range(0));
  const std::string source = project.AddSource();
  project.Find(source);
  for (auto _ : state) benchmark::DoNotOptimize(project.Find(source));
  Count(state);
}
BENCHMARK(Unchanged)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

// Another source was edited, which is none of this one's business.
void AfterAnEditElsewhere(benchmark::State& state) {
  Project project(state.range(0));
  const std::string source = project.AddSource();
  const std::string other = project.AddSource();
  project.Find(source);
  project.Find(other);
  int64_t edits = 0;
  for (auto _ : state) {
    state.PauseTiming();
    project.Write(std::string(BaseName(other)), "int v" + std::to_string(edits++) + ";\n");
    state.ResumeTiming();
    benchmark::DoNotOptimize(project.Find(source));
  }
  Count(state);
}
BENCHMARK(AfterAnEditElsewhere)
    ->Arg(100)
    ->Arg(1000)
    ->Iterations(1000)
    ->Unit(benchmark::kMicrosecond);

void OfANewSource(benchmark::State& state) {
  Project project(state.range(0));
  project.Find(project.AddSource());
  for (auto _ : state) {
    state.PauseTiming();
    const std::string source = project.AddSource();
    state.ResumeTiming();
    benchmark::DoNotOptimize(project.Find(source));
  }
  Count(state);
}
BENCHMARK(OfANewSource)->Arg(100)->Arg(1000)->Iterations(200)->Unit(benchmark::kMicrosecond);

void StatOfEach(benchmark::State& state) {
  Project project(state.range(0));
  for (auto _ : state) {
    for (const std::string& header : project.headers()) {
      struct stat st {};
      CHECK(stat(header.c_str(), &st) == 0);
    }
  }
  Count(state);
}
BENCHMARK(StatOfEach)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace llama::scan
