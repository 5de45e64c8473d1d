// What a job with a warm mirror pays: Prepare for the list of the job before, and, while nobody
// waits, the look at all that a command may have altered.
#include <benchmark/benchmark.h>

#include <string>

#include "base/file.h"
#include "base/log.h"
#include "mirror/mirror.h"
#include "tree/layer.h"

namespace llama::mirror {
namespace {

// Every file of its own content: its path, and some more.
std::string ContentOf(const std::string& path) { return path + std::string(5000, 'x'); }

class Contents final : public tree::BlobSource {
 public:
  Result<std::string> Read(const std::string& path, const tree::Entry&) override {
    return ContentOf(path);
  }
};

struct Warm {
  explicit Warm(int64_t files) {
    tree::Manifest manifest;
    for (int64_t i = 0; i < files; ++i) {
      const std::string dir = "/usr/include/some/project/d" + std::to_string(i / 14);
      const std::string name = dir + "/header_" + std::to_string(i) + ".h";
      const std::string content = ContentOf(name);
      manifest[name] = {tree::EntryType::kFile, false, content.size(), store::Sha256(content), {}};
    }
    MirrorOptions options;
    options.dir = temp.path() + "/m";
    mirror = *Mirror::Open(options, *store);
    Contents contents;
    const tree::LayerObject layer = *tree::BuildLayer(manifest, contents);
    CHECK(store->Put(layer.key, layer.bytes));
    view.layers = {{layer.key, layer.bytes.size()}};
    view.files = {{"/home/user/project/src/a.c", false, "int a;"}};
    CHECK(mirror->Prepare(view));
    CHECK(mirror->Prepare(view));
  }
  TempDir temp = *TempDir::Create("bench");
  std::unique_ptr<store::ObjectStore> store = store::NewMemoryStore();
  std::unique_ptr<Mirror> mirror;
  tree::View view;
};

// The second argument: 1 if the command may have altered everything.
void BM_Check(benchmark::State& state) {
  Warm warm(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    CHECK(warm.mirror->Prepare(warm.view));
    state.ResumeTiming();
    CHECK(warm.mirror->Check(state.range(1) != 0 ? Reach::kEverything : Reach::kDirectories));
  }
}
BENCHMARK(BM_Check)
    ->ArgsProduct({{500, 5000}, {0, 1}})
    ->Iterations(100)
    ->Unit(benchmark::kMicrosecond);

void BM_Prepare(benchmark::State& state) {
  Warm warm(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    CHECK(warm.mirror->Check(Reach::kEverything));
    state.ResumeTiming();
    CHECK(warm.mirror->Prepare(warm.view));
  }
}
BENCHMARK(BM_Prepare)->Arg(500)->Arg(5000)->Iterations(100)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace llama::mirror
