#include "traces/load/loader.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <future>
#include <thread>
#include <vector>

#include "base/file.h"
#include "builds/record.h"
#include "traces/load/columnar_file.h"
#include "traces/load/merge.h"
#include "traces/load/trace_loader.h"
#include "traces/load/tree.h"

namespace llama::traces {
namespace {

// What the spans of a file belong to, unless they say it themselves.
std::string BuildLabel(const std::string& path) {
  if (path == "-") return "stdin";
  const std::string_view name = BaseName(path);
  if (name == "trace.ndjson" || name == "trace.ndjson.zst") {
    const std::string_view folder = BaseName(DirName(path));
    if (folder != "." && folder != "/") return std::string(folder);
  }
  return std::string(name);
}

}  // namespace

Result<Columns> LoadFiles(std::span<const std::string> paths, const LoadOptions& options) {
  TraceLoader loader;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(TraceInput input, TraceInput::Open(path));
    TRY(loader.Add(input, path, BuildLabel(path)));
  }
  std::unique_ptr<Table> table = loader.Finish(options);
  TRY(KeepAsAsked(*table, options));
  return Columns(std::move(table));
}

namespace {

// Smaller traces are read faster than a second file is opened.
constexpr uint64_t kMinCachedBytes = uint64_t{256} << 10;
constexpr unsigned kMaxLoadThreads = 4;

Result<std::unique_ptr<Table>> LoadTraceOf(const std::string& build_dir, const std::string& path,
                                           const LoadOptions& options) {
  TraceLoader loader;
  ASSIGN_OR_RETURN(TraceInput input, TraceInput::Open(path));
  TRY(loader.Add(input, path, BaseName(build_dir)));
  return loader.Finish(options);
}

// Its spans, from the columnar file if that fits the trace; then CompleteTree is still to be
// called.
Result<std::unique_ptr<Table>> LoadBuild(const std::string& build_dir, const LoadOptions& options) {
  const std::string path = builds::TracePath(build_dir);
  const std::string cache = builds::ColumnsPath(build_dir);
  // What is cached has corrected clocks.
  if (!options.use_cache || !options.correct_clocks) return LoadTraceOf(build_dir, path, options);
  ASSIGN_OR_RETURN(const SourceStamp stamp, StampOf(path));
  if (auto bytes = ReadFile(cache); bytes) {
    auto table = DecodeColumnar(std::move(*bytes), stamp);
    if (table) return table;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Table> table, LoadTraceOf(build_dir, path, options));
  if (table->report.bytes < kMinCachedBytes) return table;
  // A folder that can't be written to has no cache; a trace that grew meanwhile makes it stale.
  if (const std::string bytes = EncodeColumnar(*table, stamp); !bytes.empty()) {
    (void)WriteFileAtomic(cache, bytes, 0600).has_value();
  }
  return table;
}

}  // namespace

Result<Columns> LoadBuilds(std::span<const std::string> build_dirs, const LoadOptions& options) {
  if (build_dirs.size() == 1) {
    ASSIGN_OR_RETURN(std::unique_ptr<Table> table, LoadBuild(build_dirs[0], options));
    if (!table->sources.empty()) CompleteTree(*table);
    TRY(KeepAsAsked(*table, options, BaseName(build_dirs[0])));
    return Columns(std::move(table));
  }
  // The next ones are read while one is put to the others; no more, for each takes its memory.
  const size_t ahead = std::clamp(std::thread::hardware_concurrency(), 1u, kMaxLoadThreads);
  std::deque<std::future<Result<std::unique_ptr<Table>>>> loading;
  Merger merger(build_dirs.size());
  for (size_t next = 0; next < build_dirs.size() || !loading.empty();) {
    while (next < build_dirs.size() && loading.size() < ahead) {
      loading.push_back(std::async(std::launch::async, LoadBuild, std::cref(build_dirs[next++]),
                                   std::cref(options)));
    }
    ASSIGN_OR_RETURN(std::unique_ptr<Table> part, loading.front().get());
    loading.pop_front();
    merger.Add(std::move(part));
  }
  return Columns(merger.Finish());
}

Columns LoadText(std::string_view ndjson, const LoadOptions& options) {
  return Columns(LoadTextTable(ndjson, options));
}

}  // namespace llama::traces
