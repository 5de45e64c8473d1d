// Table: the arrays behind Columns. Only what fills them includes this: the loader and the reader
// of the columnar file. Filled by one thread, then given to Columns, which nobody changes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "traces/columns/big_vector.h"
#include "traces/columns/columns.h"

namespace llama::traces {

// Lists of rows, one list a key: those of list k are rows[offsets[k]] … rows[offsets[k + 1] - 1].
struct RowLists {
  BigVector<uint32_t> offsets;
  BigVector<Row> rows;

  size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  std::span<const Row> operator[](size_t k) const {
    return {rows.data() + offsets[k], rows.data() + offsets[k + 1]};
  }
  std::span<Row> Mutable(size_t k) {
    return {rows.data() + offsets[k], rows.data() + offsets[k + 1]};
  }
};

// The rows by keys[row] < lists, each list in row order; those with a key of kNoRow are in none.
RowLists ListRows(std::span<const uint32_t> keys, size_t lists);

// Where the values of fields are until somebody asks for them: one of the parts that a table was
// put together from.
class FieldSource {
 public:
  virtual ~FieldSource() = default;
  // Appends the values of its field `index`. What can't be decoded is left out.
  virtual void Read(FieldId index, FieldColumn& out) const = 0;

  // Where its rows begin in the table, and what the table's ids of its strings are; none: the same.
  Row base = 0;
  std::vector<StringId> strings;
};

struct TableField {
  struct Pending {
    const FieldSource* source = nullptr;
    FieldId index = 0;
  };

  StringId name = 0;
  KindSet kinds;
  uint64_t values = 0;
  std::vector<Pending> pending;  // read once, under `once`
  std::once_flag once;
  FieldColumn column;
};

// The field's values, read now if they were not yet; `rows` is how many the table has.
const FieldColumn& ReadField(TableField& field, Row rows);

struct Table {
  StringPool strings;
  LoadReport report;

  std::vector<trace::TraceId> traces;
  BigVector<uint32_t> trace;
  BigVector<trace::SpanId> span_id;
  BigVector<trace::SpanId> parent_id;
  BigVector<StringId> name;
  BigVector<int64_t> start_ns;
  BigVector<int64_t> duration_ns;
  BigVector<uint32_t> build;
  BigVector<uint32_t> shape;  // index into shapes: which fields the row has, in which order
  RowLists shapes;            // of FieldIds
  std::vector<BuildRows> builds;
  std::deque<TableField> fields;  // not moved: they hold a once_flag
  std::vector<std::unique_ptr<FieldSource>> sources;

  // What traces/load/skew.h changed: rows, ascending, and what was added to their start_ns.
  BigVector<Row> shifted;
  BigVector<int64_t> shift_ns;
  std::vector<WorkerClock> clocks;

  // From the above by traces/load/tree.h.
  RowLists trace_rows;
  BigVector<Row> parent;
  RowLists children;
  std::vector<Row> roots;
  BigVector<uint16_t> depth;
  BigVector<uint32_t> path;
  std::vector<NamePath> paths;
  BigVector<int64_t> self_ns;

  // Made when it is first asked for.
  std::once_flag names_once;
  std::vector<StringId> names;  // of spans, ascending
  RowLists name_rows;

  Row size() const { return static_cast<Row>(start_ns.size()); }
};

}  // namespace llama::traces
