// trace_queries: makes large traces and measures what reading them costs.
//
//   trace_queries generate DIR [--compiles N] [--wide] [--plain] [--seed N]
//   trace_queries load FILE|DIR...     CPU and memory; a folder is a build, with its columnar file
//   trace_queries clocks DIR           corrected clocks against truth.csv
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "generator.h"

namespace llama::bench {
namespace {

int Generate(const std::vector<std::string>& words) {
  GeneratorOptions options;
  std::string dir;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool more = i + 1 < words.size();
    if (words[i] == "--wide") {
      options.wide = true;
    } else if (words[i] == "--plain") {
      options.compressed = false;
    } else if (words[i] == "--compiles" && more) {
      options.compiles = std::atoi(words[++i].c_str());
    } else if (words[i] == "--seed" && more) {
      options.seed = std::strtoull(words[++i].c_str(), nullptr, 10);
    } else {
      dir = words[i];
    }
  }
  const auto spans = GenerateBuild(dir, options);
  if (!spans) {
    std::fprintf(stderr, "trace_queries: %s\n", spans.error().message.c_str());
    return 1;
  }
  std::printf("%llu spans\n", static_cast<unsigned long long>(*spans));
  return 0;
}

}  // namespace
}  // namespace llama::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 2), argv + argc);
  if (argc > 2 && std::strcmp(argv[1], "generate") == 0) return llama::bench::Generate(words);
  std::fprintf(stderr, "usage: trace_queries generate DIR [--compiles N] [--wide] [--plain]\n");
  return 2;
}
