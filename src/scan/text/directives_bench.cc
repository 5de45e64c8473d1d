// How fast the headers of /usr/include are read, against passing over their lines and no more.
#include <benchmark/benchmark.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "scan/text/directives.h"

namespace llama::scan {
namespace {

const std::vector<std::string>& Headers() {
  static const std::vector<std::string> headers = [] {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("/usr/include")) {
      if (!entry.is_regular_file()) continue;
      auto text = ReadFile(entry.path(), 16 << 20);
      if (text) out.push_back(std::move(*text));
    }
    return out;
  }();
  return headers;
}

template <typename Read>
void ReadAll(benchmark::State& state, Read read) {
  int64_t size_bytes = 0;
  for (const std::string& text : Headers()) size_bytes += static_cast<int64_t>(text.size());
  for (auto _ : state) {
    for (const std::string& text : Headers()) benchmark::DoNotOptimize(read(text));
  }
  state.SetBytesProcessed(state.iterations() * size_bytes);
  state.counters["files"] = static_cast<double>(Headers().size());
}

size_t CountLines(const std::string& text) {
  size_t lines = 0;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at < end; ++at, ++lines) {
    at = static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    if (at == nullptr) break;
  }
  return lines;
}

void Directives(benchmark::State& state) { ReadAll(state, ReadDirectives); }
BENCHMARK(Directives)->Unit(benchmark::kMillisecond);

void Lines(benchmark::State& state) { ReadAll(state, CountLines); }
BENCHMARK(Lines)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace llama::scan
