// The formats that traces are exported to, one file each. A format is told which spans to write and
// where to; `llama export` knows no more of it than stands in its row of this table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "exports/io/output.h"
#include "exports/spans/selection.h"

namespace llama::exports {

struct ExportOptions {
  bool fields = true;             // the spans' fields, too
  bool corrected_clocks = false;  // of ndjson: times as they are shown, not as recorded
  std::string duckdb_library;     // for parquet: where it is; empty: the usual places
};

struct ExportCounts {
  uint64_t spans = 0;                 // that are in the document
  std::vector<std::string> warnings;  // for people, one sentence each
};

struct Format {
  std::string_view name;
  std::string_view summary;  // what reads it
  bool binary = false;       // not for a terminal
  // One of the two: into a stream, or (a library does it) into a file of this name. A stream's
  // errors are the output's; spans that are not written for want of room are only not counted.
  ExportCounts (*write)(const Selection&, const ExportOptions&, Output&) = nullptr;
  Result<ExportCounts> (*write_file)(const Selection&, const ExportOptions&,
                                     const std::string& path) = nullptr;
  // An option of `llama export` that no other format has.
  std::string_view own_option = {};
  // What its viewers are known to take; 0: no limit is known. The name is for the warning.
  std::string_view viewer = {};
  uint64_t viewer_max_bytes = 0;
  uint64_t viewer_max_trace_spans = 0;
};

std::span<const Format> Formats();
const Format* FindFormat(std::string_view name);  // null: none of that name

struct ExportResult {
  ExportCounts counts;
  uint64_t left_out = 0;  // spans for which there was no room
  uint64_t bytes = 0;
};

// Into `path`, or "-" for standard output. Warnings of the viewer's limits are among the counts'.
Result<ExportResult> ExportTo(const std::string& path, const Format& format,
                              const Selection& selection, const ExportOptions& options,
                              uint64_t max_bytes = Output::kNoLimit);

}  // namespace llama::exports
