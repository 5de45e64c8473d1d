// Columns: the spans of one build or several as a table in memory, a row a span. What every span
// has is a plain array with an entry a row; every field that any span carries is a column of its
// own, present where the span had it. Analyses are loops over these arrays; SQL and the exporters
// read them, too. docs/trace_format.md says what the fields mean.
//
// Loaded by traces/load/loader.h and immutable from then on: any number of threads may read. Row
// numbers are the order of the lines, without what was left out; the rows of a trace usually stand
// together, but late ones may come anywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trace/span.h"
#include "traces/columns/field_column.h"
#include "traces/columns/intern.h"

namespace llama::traces {

struct Table;  // traces/columns/table.h: the arrays themselves

// What was read and what could not be (docs/trace_format.md, "What a reader reports").
struct LoadReport {
  uint64_t files = 0;
  uint64_t cached_files = 0;    // of these, read from the columnar file beside them
  uint64_t bytes = 0;           // of lines, uncompressed; 0 for cached files
  uint64_t lines = 0;           // not blank
  uint64_t malformed = 0;       // lines that are no span, left out
  uint64_t too_long = 0;        // of these, longer than kMaxLineBytes
  uint64_t duplicates = 0;      // spans whose trace and span id came before; the first is kept
  uint64_t late = 0;            // spans whose line came after that of their trace's root; kept
  uint64_t orphans = 0;         // spans whose parent is in no file; they count as roots
  uint64_t cyclic = 0;          // spans cut from their parent, because that is below them
  uint64_t dropped_fields = 0;  // values of fields beyond the first kMaxFields names
  uint64_t other_builds = 0;    // left out, because one was asked for
  uint64_t truncated = 0;       // files that end, or were broken, inside a frame or a line
  // The first few malformed lines: "path:line: what is wrong". Control characters are replaced.
  std::vector<std::string> examples;
};

// A build that has rows: that of `global.build_id` in their trace, or else the folder or file that
// they were read from.
struct BuildRows {
  StringId id = 0;
  Row begin = 0;  // its rows lie in [begin, end); ask build() where builds are interleaved
  Row end = 0;
};

// How far up from a span anybody looks for something: chains of made-up traces are as long as they.
inline constexpr int kMaxClimb = 256;
// Of the text of a path.
inline constexpr size_t kMaxPathTextBytes = 4096;

// A path of names from the root, "llamacc>invoke>worker": a tree, whose parents come first.
struct NamePath {
  uint32_t parent = kNoPath;
  StringId name = 0;
  static constexpr uint32_t kNoPath = UINT32_MAX;
};

// How far one worker's clock is from the client's (docs/trace_format.md, "Clocks"). Its spans'
// start_ns has offset_ns added. The truth lies within uncertainty_ns of it, if clocks run evenly.
struct WorkerClock {
  StringId worker_id = 0;  // "" where the trace names none: then each call is a worker of its own
  uint32_t build = 0;
  uint32_t calls = 0;
  int64_t offset_ns = 0;
  int64_t uncertainty_ns = 0;
  bool consistent = true;  // one offset fits all calls; if not, each call has its own near this one
};

class Columns {
 public:
  Columns();  // no rows
  explicit Columns(std::unique_ptr<Table> table);
  Columns(Columns&&) noexcept;
  Columns& operator=(Columns&&) noexcept;
  ~Columns();

  Row size() const;
  bool empty() const { return size() == 0; }
  const LoadReport& report() const;
  const StringPool& strings() const;
  std::string_view text(StringId id) const { return strings()[id]; }

  // One entry a row.
  std::span<const uint32_t> trace() const;  // index into traces()
  std::span<const trace::SpanId> span_id() const;
  std::span<const trace::SpanId> parent_id() const;  // 0: none
  std::span<const Row> parent() const;               // kNoRow: a root, or an orphan
  std::span<const StringId> name() const;
  std::span<const int64_t> start_ns() const;     // since the Unix epoch, by the client's clock
  std::span<const int64_t> duration_ns() const;  // as recorded; ≥ 0, and start + duration fits
  std::span<const uint32_t> build() const;       // index into builds()
  std::span<const uint16_t> depth() const;       // 0: a root; at most 65535
  std::span<const int64_t> self_ns() const;  // of the duration, when none of its children ran; ≥ 0
  std::span<const uint32_t> path() const;    // index into paths()
  int64_t end_ns(Row row) const { return start_ns()[row] + duration_ns()[row]; }
  // As recorded, by the clock of the machine that did.
  int64_t raw_start_ns(Row row) const;

  std::span<const trace::TraceId> traces() const;  // distinct, in order of appearance
  std::span<const BuildRows> builds() const;       // likewise
  std::span<const NamePath> paths() const;
  // "llamacc>invoke>worker". Of one that is longer, as only a made-up trace has it, the last names,
  // behind "…": a chain of spans with long names would have as many long texts.
  std::string PathText(uint32_t path) const;
  std::span<const WorkerClock> worker_clocks() const;

  std::span<const Row> children(Row row) const;          // by start
  std::span<const Row> roots() const;                    // in row order
  std::span<const Row> rows_of_trace(uint32_t t) const;  // in row order
  std::span<const StringId> span_names() const;          // distinct, ascending
  std::span<const Row> rows_named(StringId name) const;  // in row order
  std::span<const Row> rows_named(std::string_view name) const;

  // Fields, in order of first appearance. What a column is can be asked at no cost; field() reads
  // the values of one that came from a columnar file when it is first asked for.
  FieldId field_count() const;
  std::string_view field_name(FieldId id) const;
  KindSet field_kinds(FieldId id) const;
  uint64_t field_values(FieldId id) const;
  std::optional<FieldId> FindField(std::string_view name) const;
  const FieldColumn& field(FieldId id) const;
  // A column without values, if no span has the field.
  const FieldColumn& field(std::string_view name) const;
  // The fields that a row has, in the order of its line.
  std::span<const FieldId> fields_of(Row row) const;
  // {"payload_bytes":5120,"cold_start":true}, appended.
  void AppendFieldsJson(std::string& out, Row row) const;

 private:
  void IndexNames() const;

  std::unique_ptr<Table> table_;
};

}  // namespace llama::traces
