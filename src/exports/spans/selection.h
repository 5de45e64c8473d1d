// Selection: the spans that are exported, in the order in which they are. Traces come by
// start_ns; of each trace a span comes after its parent, and siblings by start. It refers to its
// Columns, which must outlive it. Any thread may read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "exports/spans/time_range.h"
#include "traces/columns/columns.h"

namespace llama::exports {

using traces::Row;

struct SelectOptions {
  std::vector<std::string> traces;  // only these: ids, or beginnings that fit one id
  std::optional<uint64_t> slowest;  // only so many, by duration; a build's own is none of them
  std::optional<TimeRange> range;   // only spans that ran in it
};

// A trace with selected spans: rows()[begin] to rows()[end - 1].
struct SelectedTrace {
  uint32_t trace = 0;  // index into Columns::traces()
  uint32_t begin = 0;
  uint32_t end = 0;
  int64_t start_ns = 0;  // of the span that starts first
};

class Selection {
 public:
  // kNotFound: an id that no trace has; kInvalid: one that several have.
  static Result<Selection> Of(const traces::Columns& columns, const SelectOptions& options = {});

  const traces::Columns& columns() const { return *columns_; }
  std::span<const Row> rows() const { return rows_; }
  std::span<const SelectedTrace> traces() const { return traces_; }
  std::span<const Row> rows_of(const SelectedTrace& trace) const {
    return rows().subspan(trace.begin, trace.end - trace.begin);
  }
  bool has(Row row) const { return (present_[row / 64] >> (row % 64) & 1) != 0; }
  // The selected span that it hangs below, or kNoRow.
  Row parent(Row row) const {
    const Row above = columns_->parent()[row];
    return above != traces::kNoRow && has(above) ? above : traces::kNoRow;
  }
  // Of the whole build, selected or not: of its root span, or of its first span.
  int64_t build_start_ns(uint32_t build) const { return build_start_ns_[build]; }
  int64_t first_start_ns() const { return first_start_ns_; }  // of what is selected; 0 if nothing

 private:
  explicit Selection(const traces::Columns& columns);
  void AddTrace(uint32_t trace, const std::optional<TimeRange>& range);
  void SortTraces();

  const traces::Columns* columns_;
  std::vector<Row> rows_;
  std::vector<SelectedTrace> traces_;
  std::vector<uint64_t> present_;  // a bit a row of the columns
  std::vector<int64_t> build_start_ns_;
  int64_t first_start_ns_ = 0;
};

// The trace of a build itself, with the samples of its machine: its root is a `build`.
bool IsBuildTrace(const traces::Columns& columns, uint32_t trace);

}  // namespace llama::exports
