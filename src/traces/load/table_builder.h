// TableBuilder: fills a Table row by row, as lines are read. It keeps what makes that cheap: where
// the next span's trace, field names and texts are likely to be found, since they mostly are those
// of the span before or of the last span of that kind.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "traces/columns/table.h"
#include "traces/columns/trace_index.h"

namespace llama::traces {

// What all spans have.
struct SpanHead {
  trace::TraceId trace_id;
  trace::SpanId span_id = 0;
  trace::SpanId parent_id = 0;
  StringId name = 0;
  int64_t start_ns = 0;
  int64_t duration_ns = 0;
};

class TableBuilder {
 public:
  TableBuilder();

  Table& table() { return *table_; }
  StringPool& strings() { return table_->strings; }
  void Reserve(size_t rows);
  // What the table takes, and takes more when it is complete: not less than the memory.
  uint64_t MemoryBytes() const;

  // The fields of the next row: BeginRow, and for each field its id, from ExpectedKey or Key, and
  // Set; then AddRow, or BeginRow again to leave the row out.
  void BeginRow() {
    node_ = 0;
    dropped_ = 0;
    ++row_mark_;
    fields_.clear();
  }
  // The key that followed the last time, if it is what stands at `begin` with a quote after it.
  struct Expected {
    FieldId field = 0;
    size_t key_bytes = 0;  // 0: it is not
  };
  Expected ExpectedKey(const char* begin, const char* end) const;
  FieldId Key(std::string_view name);  // kDropped beyond kMaxFields
  void Set(FieldId field, Value value);
  // The same text as the last of this field's values, very often.
  StringId FieldText(FieldId field, std::string_view text);
  // Ends the row.
  void AddRow(const SpanHead& head);

  static constexpr FieldId kDropped = UINT32_MAX;
  // No more rows: what was built. What traces/load/tree.h computes is not in it yet.
  std::unique_ptr<Table> Finish();

 private:
  // A sequence of fields is a path from the root of a tree; a row's shape is where its path ends.
  struct Node {
    FieldId field = 0;
    uint32_t parent = 0;
    uint32_t expected = 0;  // the child that was taken the last time; 0: none
  };
  struct NodeKeyHash {
    size_t operator()(uint64_t key) const;
  };
  uint32_t Child(uint32_t node, FieldId field);
  void Replace(FieldId field, Value value);
  void MakeShapes();
  void DropUnused();

  std::unique_ptr<Table> table_;
  std::vector<Node> nodes_;
  std::unordered_map<uint64_t, uint32_t, NodeKeyHash> children_;  // node << 32 | field
  std::unordered_map<std::string_view, FieldId> field_index_;
  size_t likely_values_ = 0;
  uint64_t values_ = 0;               // in all columns
  std::vector<StringId> last_texts_;  // by field
  std::vector<bool> plain_key_;  // by field: no quote or backslash, so it stands in JSON as it is
  TraceIndex trace_index_;

  // Of the row under way.
  uint32_t node_ = 0;
  uint64_t dropped_ = 0;
  uint64_t row_mark_ = 0;
  std::vector<uint64_t> in_row_;  // by field: the mark of the last row that had it
  std::vector<std::pair<FieldId, Value>> fields_;
};

}  // namespace llama::traces
