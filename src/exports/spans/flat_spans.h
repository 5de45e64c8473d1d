// Spans as rows of one flat table, for the formats that have only that (csv, parquet): what every
// span has, then a column for each field that a selected span has. Columns are named as those of
// `spans` in `llama sql` (docs/sql.md, "Fields as columns").
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exports/spans/selection.h"

namespace llama::exports {

// In this order.
enum class FlatColumn : uint8_t {
  kBuild,
  kTraceId,
  kSpanId,
  kParentId,  // "" of a root
  kName,
  kPath,
  kDepth,
  kStart,  // as text
  kStartNs,
  kDurationNs,
  kSelfNs,
  kRawStartNs,
};
inline constexpr std::array<std::string_view, 12> kFlatNames = {
    "build", "trace_id", "span_id",  "parent_id",   "name",    "path",
    "depth", "start",    "start_ns", "duration_ns", "self_ns", "raw_start_ns"};

class FlatSpans {
 public:
  // Without `fields`, only what every span has.
  FlatSpans(const Selection& selection, bool fields);

  struct Field {
    traces::FieldId id = 0;
    std::string column;
  };
  // The columns after kFlatNames, in order of first appearance.
  const std::vector<Field>& fields() const { return fields_; }
  // The values of a row: which of fields(), ascending, and what.
  using Values = std::vector<std::pair<uint32_t, traces::Value>>;
  void ValuesOf(Row row, Values& out) const;

  std::string_view Build(Row row) const {
    return text(columns_.builds()[columns_.build()[row]].id);
  }
  std::string_view Name(Row row) const { return text(columns_.name()[row]); }
  // Until the next call.
  std::string_view Path(Row row);
  std::string_view text(traces::StringId id) const { return columns_.text(id); }
  const traces::Columns& columns() const { return columns_; }

 private:
  static constexpr uint32_t kNoColumn = UINT32_MAX;

  const traces::Columns& columns_;
  std::vector<Field> fields_;
  std::vector<uint32_t> column_of_;  // by FieldId
  uint32_t last_path_ = traces::NamePath::kNoPath;
  std::string path_text_;  // of last_path_
};

}  // namespace llama::exports
