// trace_queries: makes large traces and measures what reading them costs.
//
//   trace_queries generate DIR [--compiles N] [--wide] [--plain] [--seed N]
//   trace_queries load FILE|DIR...     CPU and memory; a folder is a build, with its columnar file
//   trace_queries clocks DIR           corrected clocks against truth.csv
//   trace_queries sql [--plain] [--duckdb LIBRARY] [--json] DIR...
//                                      the queries that people ask, beside plain SQLite and DuckDB
//   trace_queries exports DIR...       each format that is a stream
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "clocks.h"
#include "exports.h"
#include "generator.h"
#include "measure.h"
#include "sql_queries.h"
#include "traces/load/loader.h"

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
  const auto columns = builds ? traces::LoadBuilds(paths) : traces::LoadFiles(paths);
  const Usage after = UsageNow();
  if (!columns) {
    std::fprintf(stderr, "trace_queries: %s\n", columns.error().message.c_str());
    return 1;
  }
  const traces::LoadReport& report = columns->report();
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

int Clocks(const std::string& dir) {
  const std::vector<std::string> dirs = {dir};
  const auto columns = traces::LoadBuilds(dirs);
  if (!columns) {
    std::fprintf(stderr, "trace_queries: %s\n", columns.error().message.c_str());
    return 1;
  }
  const auto errors = CompareClocks(*columns, dir + "/truth.csv");
  if (!errors) {
    std::fprintf(stderr, "trace_queries: %s\n", errors.error().message.c_str());
    return 1;
  }
  std::printf(
      "{\"workers\":%zu,\"mean_ms\":%.3f,\"max_ms\":%.3f,\"uncorrected_mean_ms\":%.3f,"
      "\"beyond_uncertainty\":%zu,\"children_outside\":%zu}\n",
      errors->workers, errors->mean_ms, errors->max_ms, errors->uncorrected_mean_ms,
      errors->beyond_uncertainty, errors->children_outside);
  return 0;
}

}  // namespace
}  // namespace llama::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 2), argv + argc);
  if (argc > 2 && std::strcmp(argv[1], "generate") == 0) return llama::bench::Generate(words);
  if (argc > 2 && std::strcmp(argv[1], "load") == 0) return llama::bench::Load(words);
  if (argc > 2 && std::strcmp(argv[1], "sql") == 0) {
    llama::bench::SqlBench bench;
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i] == "--plain") {
        bench.plain = true;
      } else if (words[i] == "--json") {
        bench.json = true;
      } else if (words[i] == "--duckdb" && i + 1 < words.size()) {
        bench.duckdb = words[++i];
      } else {
        bench.build_dirs.push_back(words[i]);
      }
    }
    if (!bench.build_dirs.empty()) return llama::bench::RunSqlQueries(bench);
  }
  if (argc > 2 && std::strcmp(argv[1], "clocks") == 0) return llama::bench::Clocks(words[0]);
  if (argc > 2 && std::strcmp(argv[1], "exports") == 0) return llama::bench::RunExports(words);
  std::fprintf(stderr,
               "usage: trace_queries generate DIR [--compiles N] [--wide] [--plain] [--seed N]\n"
               "       trace_queries load FILE|DIR...\n"
               "       trace_queries clocks DIR\n"
               "       trace_queries sql [--plain] [--duckdb LIBRARY] [--json] DIR...\n"
               "       trace_queries exports DIR...\n");
  return 2;
}
