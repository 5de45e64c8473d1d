#include "traces/load/table_builder.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "traces/load/loader.h"

namespace llama::traces {
namespace {

// Most fields are those of one kind of span in a dozen. Room that is not used costs nothing, unless
// a hostile trace names thousands of fields.
constexpr size_t kRowsPerValue = 12;
constexpr FieldId kReservedFields = 256;
// What grows with a trace, and what it takes: half of it here, the other half in what is computed
// of it (traces/load/tree.h) or for a moment, while an array grows.
constexpr uint64_t kRowBytes = 256;
constexpr uint64_t kTraceBytes = 64;
constexpr uint64_t kValueBytes = 32;
constexpr uint64_t kStringBytes = 48;  // besides its text
constexpr uint64_t kNodeBytes = 72;

}  // namespace

size_t TableBuilder::NodeKeyHash::operator()(uint64_t key) const {
  return static_cast<size_t>(Fold(key, 0x9e3779b97f4a7c15));
}

TableBuilder::TableBuilder()
    : table_(std::make_unique<Table>()), nodes_(1), trace_index_(table_->traces) {}

void TableBuilder::Reserve(size_t rows) {
  likely_values_ = rows / kRowsPerValue;
  table_->trace.reserve(rows);
  table_->span_id.reserve(rows);
  table_->parent_id.reserve(rows);
  table_->name.reserve(rows);
  table_->start_ns.reserve(rows);
  table_->duration_ns.reserve(rows);
  table_->shape.reserve(rows);
}

uint64_t TableBuilder::MemoryBytes() const {
  return table_->size() * kRowBytes + table_->traces.size() * kTraceBytes + values_ * kValueBytes +
         table_->strings.size() * kStringBytes + table_->strings.bytes() +
         nodes_.size() * kNodeBytes;
}

TableBuilder::Expected TableBuilder::ExpectedKey(const char* begin, const char* end) const {
  const uint32_t expected = nodes_[node_].expected;
  if (expected == 0) return {};
  const FieldId field = nodes_[expected].field;
  const std::string_view name = table_->strings[table_->fields[field].name];
  if (!plain_key_[field] || static_cast<size_t>(end - begin) <= name.size()) return {};
  if (begin[name.size()] != '"' || std::memcmp(begin, name.data(), name.size()) != 0) return {};
  return {field, name.size()};
}

FieldId TableBuilder::Key(std::string_view name) {
  const auto known = field_index_.find(name);
  if (known != field_index_.end()) return known->second;
  if (table_->fields.size() >= kMaxFields) return kDropped;
  const auto id = static_cast<FieldId>(table_->fields.size());
  const StringId text = table_->strings.Add(name);
  TableField& field = table_->fields.emplace_back();
  field.name = text;
  if (id < kReservedFields) field.column.Reserve(likely_values_);
  field_index_.emplace(table_->strings[text], id);
  plain_key_.push_back(name.find_first_of("\"\\") == std::string_view::npos && !name.empty());
  last_texts_.push_back(0);
  in_row_.push_back(0);
  return id;
}

void TableBuilder::Set(FieldId field, Value value) {
  if (field == kDropped) {
    ++dropped_;
    return;
  }
  const uint32_t expected = nodes_[node_].expected;
  if (expected != 0 && nodes_[expected].field == field) {
    node_ = expected;
  } else {
    if (in_row_[field] == row_mark_) return Replace(field, value);
    node_ = Child(node_, field);
  }
  in_row_[field] = row_mark_;
  fields_.emplace_back(field, value);
}

// Of a key that came before in this row the last value counts, where the first stands.
void TableBuilder::Replace(FieldId field, Value value) {
  const auto it = std::find_if(fields_.begin(), fields_.end(),
                               [&](const auto& pair) { return pair.first == field; });
  it->second = value;
}

StringId TableBuilder::FieldText(FieldId field, std::string_view text) {
  if (field == kDropped) return 0;
  StringId& last = last_texts_[field];
  if (table_->strings[last] != text) last = table_->strings.Add(text);
  return last;
}

uint32_t TableBuilder::Child(uint32_t node, FieldId field) {
  const auto [it, added] =
      children_.try_emplace(uint64_t{node} << 32 | field, static_cast<uint32_t>(nodes_.size()));
  if (added) nodes_.push_back({field, node, 0});
  nodes_[node].expected = it->second;
  return it->second;
}

void TableBuilder::AddRow(const SpanHead& head) {
  const Row row = table_->size();
  table_->trace.push_back(trace_index_.Number(head.trace_id));
  table_->span_id.push_back(head.span_id);
  table_->parent_id.push_back(head.parent_id);
  table_->name.push_back(head.name);
  table_->start_ns.push_back(head.start_ns);
  table_->duration_ns.push_back(head.duration_ns);
  table_->shape.push_back(node_);
  values_ += fields_.size();
  for (const auto& [field, value] : fields_) table_->fields[field].column.Append(row, value);
  table_->report.dropped_fields += dropped_;
}

// Shapes are numbered by first use, and list their fields from the first.
void TableBuilder::MakeShapes() {
  std::vector<uint32_t> numbers(nodes_.size(), kNoRow);
  RowLists& shapes = table_->shapes;
  shapes.offsets.assign(1, 0);
  for (uint32_t& shape : table_->shape) {
    const uint32_t end = shape;
    if (numbers[end] == kNoRow) {
      numbers[end] = static_cast<uint32_t>(shapes.size());
      const auto begin = static_cast<std::ptrdiff_t>(shapes.rows.size());
      for (uint32_t node = end; node != 0; node = nodes_[node].parent) {
        shapes.rows.push_back(nodes_[node].field);
      }
      std::reverse(shapes.rows.begin() + begin, shapes.rows.end());
      shapes.offsets.push_back(static_cast<uint32_t>(shapes.rows.size()));
    }
    shape = numbers[end];
  }
}

// Names that only malformed lines had are no fields.
void TableBuilder::DropUnused() {
  std::vector<FieldId> numbers;
  std::deque<TableField> used;
  for (TableField& field : table_->fields) {
    numbers.push_back(static_cast<FieldId>(used.size()));
    if (field.column.size() == 0) continue;
    TableField& kept = used.emplace_back();
    kept.name = field.name;
    kept.column = std::move(field.column);
  }
  for (FieldId& field : table_->shapes.rows) field = numbers[field];
  table_->fields.swap(used);
}

std::unique_ptr<Table> TableBuilder::Finish() {
  MakeShapes();
  DropUnused();
  for (TableField& field : table_->fields) {
    field.kinds = field.column.kinds();
    field.values = field.column.size();
    field.column.Freeze(table_->size());
  }
  return std::move(table_);
}

}  // namespace llama::traces
