// What writes each format into a stream. docs/viewers.md says what reads it.
#pragma once

#include "exports/formats/format.h"

namespace llama::exports {

// Chrome's Trace Event Format:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
ExportCounts WriteChrome(const Selection& selection, const ExportOptions& options, Output& out);
// https://perfetto.dev/docs/reference/synthetic-track-event
ExportCounts WritePerfetto(const Selection& selection, const ExportOptions& options, Output& out);
// https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources
ExportCounts WriteSpeedscope(const Selection& selection, const ExportOptions& options, Output& out);
// https://www.jaegertracing.io/docs/latest/frontend-ui/
ExportCounts WriteJaeger(const Selection& selection, const ExportOptions& options, Output& out);

// Tables: RFC 4180; the lines of docs/trace_format.md; a database; Apache Parquet by DuckDB. What
// is in them says docs/tables.md.
ExportCounts WriteCsv(const Selection& selection, const ExportOptions& options, Output& out);
ExportCounts WriteNdjson(const Selection& selection, const ExportOptions& options, Output& out);
Result<ExportCounts> WriteSqlite(const Selection& selection, const ExportOptions& options,
                                 const std::string& path);
Result<ExportCounts> WriteParquet(const Selection& selection, const ExportOptions& options,
                                  const std::string& path);

}  // namespace llama::exports
