#include "traces/columns/columns.h"

#include <algorithm>

#include "base/text/json.h"
#include "traces/columns/table.h"

namespace llama::traces {
namespace {

const FieldColumn& NoValues() {
  static const FieldColumn column;
  return column;
}

void AppendValue(JsonWriter& json, const Value& value, const StringPool& strings) {
  switch (value.kind) {
    case Kind::kNull:
      json.Null();
      return;
    case Kind::kBool:
      json.Bool(value.as_bool());
      return;
    case Kind::kInt:
      json.Int(value.as_int());
      return;
    case Kind::kDouble:
      json.Double(value.as_double());
      return;
    case Kind::kString:
      json.String(strings[value.as_string()]);
      return;
    case Kind::kJson:
      json.Raw(strings[value.as_string()]);
      return;
  }
}

}  // namespace

RowLists ListRows(std::span<const uint32_t> keys, size_t lists) {
  RowLists out;
  out.offsets.assign(lists + 1, 0);
  for (const uint32_t key : keys) {
    if (key != kNoRow) ++out.offsets[key + 1];
  }
  for (size_t k = 0; k < lists; ++k) out.offsets[k + 1] += out.offsets[k];
  out.rows.resize(out.offsets[lists]);
  BigVector<uint32_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (size_t row = 0; row < keys.size(); ++row) {
    if (keys[row] != kNoRow) out.rows[next[keys[row]]++] = static_cast<Row>(row);
  }
  return out;
}

const FieldColumn& ReadField(TableField& field, Row rows) {
  std::call_once(field.once, [&] {
    if (field.pending.empty()) return;
    for (const auto& [source, index] : field.pending) source->Read(index, field.column);
    field.column.Freeze(rows);
  });
  return field.column;
}

Columns::Columns() : table_(std::make_unique<Table>()) {}
Columns::Columns(std::unique_ptr<Table> table) : table_(std::move(table)) {}
Columns::Columns(Columns&&) noexcept = default;
Columns& Columns::operator=(Columns&&) noexcept = default;
Columns::~Columns() = default;

Row Columns::size() const { return table_->size(); }
const LoadReport& Columns::report() const { return table_->report; }
const StringPool& Columns::strings() const { return table_->strings; }

std::span<const uint32_t> Columns::trace() const { return table_->trace; }
std::span<const trace::SpanId> Columns::span_id() const { return table_->span_id; }
std::span<const trace::SpanId> Columns::parent_id() const { return table_->parent_id; }
std::span<const Row> Columns::parent() const { return table_->parent; }
std::span<const StringId> Columns::name() const { return table_->name; }
std::span<const int64_t> Columns::start_ns() const { return table_->start_ns; }
std::span<const int64_t> Columns::duration_ns() const { return table_->duration_ns; }
std::span<const uint32_t> Columns::build() const { return table_->build; }
std::span<const uint16_t> Columns::depth() const { return table_->depth; }
std::span<const int64_t> Columns::self_ns() const { return table_->self_ns; }
std::span<const uint32_t> Columns::path() const { return table_->path; }
std::span<const trace::TraceId> Columns::traces() const { return table_->traces; }
std::span<const BuildRows> Columns::builds() const { return table_->builds; }
std::span<const NamePath> Columns::paths() const { return table_->paths; }
std::span<const WorkerClock> Columns::worker_clocks() const { return table_->clocks; }
std::span<const Row> Columns::children(Row row) const { return table_->children[row]; }
std::span<const Row> Columns::roots() const { return table_->roots; }
std::span<const Row> Columns::rows_of_trace(uint32_t t) const { return table_->trace_rows[t]; }

int64_t Columns::raw_start_ns(Row row) const {
  const auto it = std::lower_bound(table_->shifted.begin(), table_->shifted.end(), row);
  if (it == table_->shifted.end() || *it != row) return table_->start_ns[row];
  const auto at = static_cast<size_t>(it - table_->shifted.begin());
  return table_->start_ns[row] - table_->shift_ns[at];
}

std::string Columns::PathText(uint32_t path) const {
  std::vector<std::string_view> names;
  size_t bytes = 0;
  for (; path != NamePath::kNoPath; path = table_->paths[path].parent) {
    const std::string_view name = text(table_->paths[path].name);
    bytes += name.size() + 1;
    if (bytes > kMaxPathTextBytes) {
      if (names.empty()) names.push_back(name.substr(0, kMaxPathTextBytes));
      break;
    }
    names.push_back(name);
  }
  std::string out = path == NamePath::kNoPath ? "" : "…";
  for (auto it = names.rbegin(); it != names.rend(); ++it) {
    if (!out.empty()) out += '>';
    out += *it;
  }
  return out;
}

void Columns::IndexNames() const {
  std::call_once(table_->names_once, [this] {
    BigVector<uint32_t> numbers(strings().size(), kNoRow);
    for (const StringId id : table_->name) numbers[id] = 0;
    for (StringId id = 0; id < numbers.size(); ++id) {
      if (numbers[id] == kNoRow) continue;
      numbers[id] = static_cast<uint32_t>(table_->names.size());
      table_->names.push_back(id);
    }
    BigVector<uint32_t> keys(table_->name.size());
    for (size_t row = 0; row < keys.size(); ++row) keys[row] = numbers[table_->name[row]];
    table_->name_rows = ListRows(keys, table_->names.size());
  });
}

std::span<const StringId> Columns::span_names() const {
  IndexNames();
  return table_->names;
}

std::span<const Row> Columns::rows_named(StringId name) const {
  IndexNames();
  const auto it = std::lower_bound(table_->names.begin(), table_->names.end(), name);
  if (it == table_->names.end() || *it != name) return {};
  return table_->name_rows[static_cast<size_t>(it - table_->names.begin())];
}

std::span<const Row> Columns::rows_named(std::string_view name) const {
  const auto id = strings().Find(name);
  return id ? rows_named(*id) : std::span<const Row>();
}

FieldId Columns::field_count() const { return static_cast<FieldId>(table_->fields.size()); }
std::string_view Columns::field_name(FieldId id) const { return text(table_->fields[id].name); }
KindSet Columns::field_kinds(FieldId id) const { return table_->fields[id].kinds; }
uint64_t Columns::field_values(FieldId id) const { return table_->fields[id].values; }

std::optional<FieldId> Columns::FindField(std::string_view name) const {
  for (FieldId id = 0; id < field_count(); ++id) {
    if (field_name(id) == name) return id;
  }
  return std::nullopt;
}

const FieldColumn& Columns::field(FieldId id) const {
  return ReadField(table_->fields[id], size());
}

const FieldColumn& Columns::field(std::string_view name) const {
  const auto id = FindField(name);
  return id ? field(*id) : NoValues();
}

std::span<const FieldId> Columns::fields_of(Row row) const {
  return table_->shapes[table_->shape[row]];
}

void Columns::AppendFieldsJson(std::string& out, Row row) const {
  JsonWriter json;
  json.BeginObject();
  for (const FieldId id : fields_of(row)) {
    const auto value = field(id).At(row);
    if (!value) continue;  // of a columnar file that could not be decoded
    json.Key(field_name(id));
    AppendValue(json, *value, strings());
  }
  json.EndObject();
  out += json.str();
}

}  // namespace llama::traces
