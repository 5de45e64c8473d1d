#include "exports/formats/format.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/text/format.h"
#include "exports/formats/encoders.h"
#include "exports/formats/formats.h"

namespace llama::exports {
namespace {

// What one call of JSON.parse takes in V8: 512 MiB of text.
constexpr uint64_t kMaxJsonBytes = (uint64_t{1} << 29) - 24;

template <const SpanList& (*List)()>
ExportCounts WriteList(const Selection& selection, const ExportOptions& options, Output& out) {
  return WriteSpanList(List(), selection, options, out);
}

constexpr auto kFormats = std::to_array<Format>({
    {.name = "chrome",
     .summary = "Chrome's Performance panel, Perfetto, speedscope (JSON)",
     .write = WriteChrome,
     .viewer = "Chrome",
     .viewer_max_bytes = kMaxJsonBytes},
    {.name = "perfetto",
     .summary = "Perfetto (protobuf)",
     .binary = true,
     .write = WritePerfetto,
     .viewer = "Perfetto",
     .viewer_max_bytes = 2'000'000'000},
    {.name = "speedscope",
     .summary = "speedscope: flame graphs",
     .write = WriteSpeedscope,
     .viewer = "speedscope",
     .viewer_max_bytes = kMaxJsonBytes},
    {.name = "jaeger",
     .summary = "Jaeger's UI (JSON)",
     .write = WriteJaeger,
     .viewer = "Jaeger's UI",
     .viewer_max_bytes = kMaxJsonBytes,
     .viewer_max_trace_spans = 40'000},
    {.name = "otlp",
     .summary = "OpenTelemetry collectors, and what takes OTLP (protobuf)",
     .binary = true,
     .write = WriteList<OtlpList>},
    {.name = "otlp-json", .summary = "the same as JSON", .write = WriteList<OtlpJsonList>},
    {.name = "zipkin", .summary = "Zipkin (v2, JSON)", .write = WriteList<ZipkinList>},
    {.name = "honeycomb", .summary = "Honeycomb (events, JSON)", .write = WriteList<HoneycombList>},
    {.name = "xray",
     .summary = "AWS X-Ray (segment documents, one a line)",
     .write = WriteList<XrayList>},
    {.name = "csv", .summary = "spreadsheets, pandas, R", .write = WriteCsv},
    {.name = "ndjson",
     .summary = "llama itself; jq (a span a line)",
     .write = WriteNdjson,
     .own_option = "--corrected-clocks"},
    {.name = "sqlite", .summary = "SQLite's tools", .binary = true, .write_file = WriteSqlite},
    {.name = "parquet",
     .summary = "DuckDB, pandas, Spark (needs DuckDB's library)",
     .binary = true,
     .write_file = WriteParquet,
     .own_option = "--duckdb"},
});

void WarnOfLimits(const Format& format, const Selection& selection, ExportResult& result) {
  auto& warnings = result.counts.warnings;
  if (format.viewer_max_bytes > 0 && result.bytes > format.viewer_max_bytes) {
    warnings.push_back(std::string(format.viewer) + " takes at most " +
                       FormatBytes(static_cast<int64_t>(format.viewer_max_bytes)) +
                       ", and this is " + FormatBytes(static_cast<int64_t>(result.bytes)) +
                       "; choose less with --top, --time-range, --no-args or --max-bytes");
  }
  uint64_t longest = 0;
  for (const SelectedTrace& trace : selection.traces()) {
    longest = std::max<uint64_t>(longest, trace.end - trace.begin);
  }
  if (format.viewer_max_trace_spans > 0 && longest > format.viewer_max_trace_spans) {
    warnings.push_back(std::string(format.viewer) + " shows traces of at most about " +
                       FormatCount(format.viewer_max_trace_spans) + " spans, and here is one of " +
                       FormatCount(longest) + "; choose less with --time-range");
  }
}

Result<ExportResult> WriteStream(Sink& sink, const Format& format, const Selection& selection,
                                 const ExportOptions& options, uint64_t max_bytes) {
  Output out(sink, max_bytes);
  ExportResult result;
  result.counts = format.write(selection, options, out);
  if (out.bytes() == 0 && max_bytes != Output::kNoLimit && !selection.rows().empty()) {
    return Error{Code::kInvalid, std::string(format.name) + " of " + std::to_string(max_bytes) +
                                     " bytes can't hold anything: allow for more"};
  }
  TRY(out.Finish());
  result.bytes = out.bytes();
  return result;
}

Result<ExportResult> WriteFileOf(const std::string& path, const Format& format,
                                 const Selection& selection, const ExportOptions& options) {
  ExportResult result;
  TRY(WriteByName(path, [&](const std::string& temporary) -> Result<void> {
    ASSIGN_OR_RETURN(result.counts, format.write_file(selection, options, temporary));
    struct stat status {};
    if (stat(temporary.c_str(), &status) == 0) {
      result.bytes = static_cast<uint64_t>(status.st_size);
    }
    return {};
  }));
  return result;
}

Result<ExportResult> Write(const std::string& path, const Format& format,
                           const Selection& selection, const ExportOptions& options,
                           uint64_t max_bytes) {
  if (format.write == nullptr) return WriteFileOf(path, format, selection, options);
  if (path == "-") {
    FdSink sink(STDOUT_FILENO, "standard output");
    return WriteStream(sink, format, selection, options, max_bytes);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Sink> sink, NewFileSink(path));
  return WriteStream(*sink, format, selection, options, max_bytes);
}

}  // namespace

std::span<const Format> Formats() { return kFormats; }

const Format* FindFormat(std::string_view name) {
  for (const Format& format : kFormats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

Result<ExportResult> ExportTo(const std::string& path, const Format& format,
                              const Selection& selection, const ExportOptions& options,
                              uint64_t max_bytes) {
  if (format.write == nullptr && path == "-") {
    return Error{Code::kInvalid, std::string(format.name) + " needs a file: give one with -o"};
  }
  if (format.write == nullptr && max_bytes != Output::kNoLimit) {
    return Error{Code::kInvalid, std::string(format.name) +
                                     " can't be cut; choose less with --top or --time-range"};
  }
  ASSIGN_OR_RETURN(ExportResult result, Write(path, format, selection, options, max_bytes));
  result.left_out = selection.rows().size() - result.counts.spans;
  WarnOfLimits(format, selection, result);
  return result;
}

}  // namespace llama::exports
