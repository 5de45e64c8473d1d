#include "exports.h"

#include <cstdio>

#include "exports/formats/format.h"
#include "measure.h"
#include "traces/load/loader.h"

namespace llama::bench {
namespace {

int Fail(const std::string& message) {
  std::fprintf(stderr, "trace_queries: %s\n", message.c_str());
  return 1;
}

}  // namespace

int RunExports(const std::vector<std::string>& build_dirs) {
  const auto columns = traces::LoadBuilds(build_dirs);
  if (!columns) return Fail(columns.error().message);
  for (const exports::Format& format : exports::Formats()) {
    if (format.write == nullptr) continue;
    const Usage before = UsageNow();
    const auto selection = exports::Selection::Of(*columns);
    if (!selection) return Fail(selection.error().message);
    const auto result = exports::ExportTo("/dev/null", format, *selection, {});
    if (!result) return Fail(result.error().message);
    const Usage after = UsageNow();
    const double cpu_s = after.cpu_s - before.cpu_s;
    std::printf(
        "{\"format\":\"%s\",\"spans\":%llu,\"bytes\":%llu,\"cpu_s\":%.3f,\"spans_per_s\":%.0f,"
        "\"more_peak_rss_mb\":%.0f}\n",
        std::string(format.name).c_str(), static_cast<unsigned long long>(result->counts.spans),
        static_cast<unsigned long long>(result->bytes), cpu_s,
        static_cast<double>(result->counts.spans) / cpu_s,
        static_cast<double>(after.peak_rss_kb - before.peak_rss_kb) / 1024);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace llama::bench
