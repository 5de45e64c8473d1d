// trace_queries: makes large traces and measures what reading them costs.
//
//   trace_queries generate DIR [--compiles N] [--wide] [--plain] [--seed N]
//   trace_queries load FILE|DIR...     CPU and memory; a folder is a build, with its columnar file
//   trace_queries clocks DIR           corrected clocks against truth.csv
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "generator.h"
#include "measure.h"
#include "report/loader.h"

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

bool IsFolder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

int Load(const std::vector<std::string>& paths) {
  const bool builds = IsFolder(paths[0]);
  const Usage before = UsageNow();
  const auto columns = builds ? report::LoadBuilds(paths) : report::LoadFiles(paths);
  const Usage after = UsageNow();
  if (!columns) {
    std::fprintf(stderr, "trace_queries: %s\n", columns.error().message.c_str());
    return 1;
  }
  const report::LoadReport& report = columns->report();
  std::printf(
      "{\"spans\":%u,\"cached_files\":%llu,\"bytes\":%llu,\"malformed\":%llu,\"orphans\":%llu,"
      "\"fields\":%u,\"strings\":%zu,\"wall_s\":%.3f,\"cpu_s\":%.3f,\"peak_rss_mb\":%.0f}\n",
      columns->size(), static_cast<unsigned long long>(report.cached_files),
      static_cast<unsigned long long>(report.bytes),
      static_cast<unsigned long long>(report.malformed),
      static_cast<unsigned long long>(report.orphans), columns->field_count(),
      columns->strings().size(), after.wall_s - before.wall_s, after.cpu_s - before.cpu_s,
      static_cast<double>(after.peak_rss_kb) / 1024);
  return 0;
}

}  // namespace
}  // namespace llama::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 2), argv + argc);
  if (argc > 2 && std::strcmp(argv[1], "generate") == 0) return llama::bench::Generate(words);
  if (argc > 2 && std::strcmp(argv[1], "load") == 0) return llama::bench::Load(words);
  std::fprintf(stderr, "usage: trace_queries generate DIR [--compiles N] [--wide] [--plain]\n");
  return 2;
}
