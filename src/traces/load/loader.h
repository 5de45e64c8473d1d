// Loading traces into Columns: newline-delimited JSON, ours or the original's, Chrome's JSON and
// OTLP's, each plain, in gzip or in zstd frames (docs/trace_format.md, "Reading a trace"). What is
// read is foreign: whatever it holds, each part becomes a span or is counted in the LoadReport.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "traces/columns/columns.h"

namespace llama::traces {

inline constexpr size_t kMaxLineBytes = size_t{4} << 20;
// Of what is not a span a line.
inline constexpr size_t kMaxDocumentBytes = size_t{512} << 20;
inline constexpr FieldId kMaxFields = 4096;
// Memory for a span is some 200 bytes; this many are 20 GB of lines.
inline constexpr Row kMaxRows = 64'000'000;

struct LoadOptions {
  bool correct_clocks = true;  // docs/trace_format.md, "Clocks"
  bool use_cache = true;       // of LoadBuilds: read and write the columnar file
  // Of a trace with several builds only one: `build` (an id, or the beginning of one), or, where
  // that is "", the folder's, else the last that began. LoadReport says how many there were.
  bool one_build = false;
  std::string build = {};  // given a value so that others can be named alone
};

// The files as one trace: a parent may be in another file than its child. "-" is standard input.
// kNotFound or the like if one of them can't be read at all, kInvalid with its format's name if it
// is in one that is not; an empty one is no error.
Result<Columns> LoadFiles(std::span<const std::string> paths, const LoadOptions& options = {});

// Builds by their folders (BuildDir), each from its columnar file if there is one that fits, else
// from its trace; then the columnar file is written for the next time.
Result<Columns> LoadBuilds(std::span<const std::string> build_dirs,
                           const LoadOptions& options = {});

// The same from memory: `ndjson` is plain lines. No rows if it has not the build that is asked for.
Columns LoadText(std::string_view ndjson, const LoadOptions& options = {});

}  // namespace llama::traces
