// TraceModel: the spans of one build, read from its trace file into rows that analyses loop over.
// Every span gives a row with what all spans have; those whose fields the summary needs give a
// second row (docs/trace_format.md says what the fields mean).
//
// What is read is foreign: a line that is no span is counted in `malformed_lines` and left out, a
// field of the wrong type or sign counts as absent. Plain values once loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "trace/span.h"

namespace llama::report {

struct SpanRow {
  trace::TraceId trace_id;
  trace::SpanId span_id = 0;
  trace::SpanId parent_id = 0;
  uint32_t name = 0;  // index into TraceModel::names
  int64_t start_ns = 0;
  int64_t duration_ns = 0;  // never negative; start_ns + duration_ns does not overflow
  int64_t end_ns() const { return start_ns + duration_ns; }
};

// A `llamacc` span: one compile. `span` is an index into TraceModel::spans, here and below.
struct CompileRow {
  size_t span = 0;
  bool remote = false;
  std::string source;
  std::string object;
  std::string reason;  // of a local run
  std::string rung;
  std::optional<int64_t> status;
};

// An `invoke` span: one invocation of the function.
struct InvokeRow {
  size_t span = 0;
  int64_t queued_ns = 0;
  std::optional<int64_t> billed_ms;
  std::optional<int64_t> memory_mb;
  int64_t payload_bytes = 0;
  int64_t answer_bytes = 0;
  int64_t fetched_objects = 0;
  int64_t fetched_bytes = 0;
  int64_t attempt = 1;
  bool cold_start = false;
  bool failed = false;
};

// A `sync` span: what was uploaded for a compile.
struct SyncRow {
  size_t span = 0;
  int64_t store_requests = 0;
  int64_t uploaded_bytes = 0;
};

// The `build` span.
struct BuildRow {
  size_t span = 0;
  std::string id;
  std::string name;
  std::string command;
  std::optional<int64_t> status;
};

struct TraceModel {
  std::vector<std::string> names;  // of spans, distinct
  std::vector<SpanRow> spans;
  std::vector<CompileRow> compiles;
  std::vector<InvokeRow> invokes;
  std::vector<SyncRow> syncs;
  std::optional<BuildRow> build;  // the last, if there are several
  uint64_t malformed_lines = 0;
  bool truncated = false;  // the file ends, or was broken, inside a frame or a line
};

// Reads lines one by one; LoadTrace is the same for a file.
class TraceReader {
 public:
  TraceReader();
  ~TraceReader();
  void AddLine(std::string_view line);
  TraceModel Take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

Result<TraceModel> LoadTrace(const std::string& path);

}  // namespace llama::report
