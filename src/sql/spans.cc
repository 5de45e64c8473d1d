#include "sql/spans.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/log.h"
#include "trace/names.h"

namespace llama::sql {
namespace {

// In the order of the columns.
enum Fixed : int {
  kBuild,
  kBuildName,
  kTraceId,
  kSpanId,
  kParentId,
  kName,
  kStart,
  kStartNs,
  kDurationNs,
  kEndNs,
  kSelfNs,
  kSecond,
  kDepth,
  kPath,
  kId,
  kParent,
  kRawStartNs,
  kFields,
  kFixedColumns,
};

struct FixedColumnSpec {
  const char* name;
  Affinity affinity;
};

constexpr std::array<FixedColumnSpec, kFixedColumns> kColumns = {{
    {"build", Affinity::kText},
    {"build_name", Affinity::kText},
    {"trace_id", Affinity::kText},
    {"span_id", Affinity::kText},
    {"parent_id", Affinity::kText},
    {"name", Affinity::kText},
    {"start", Affinity::kText},
    {"start_ns", Affinity::kInteger},
    {"duration_ns", Affinity::kInteger},
    {"end_ns", Affinity::kInteger},
    {"self_ns", Affinity::kInteger},
    {"second", Affinity::kInteger},
    {"depth", Affinity::kInteger},
    {"path", Affinity::kText},
    {"id", Affinity::kInteger},
    {"parent", Affinity::kInteger},
    {"raw_start_ns", Affinity::kInteger},
    {"fields", Affinity::kText},
}};

// Of more, as only a made-up trace has them, texts are made anew each time.
constexpr size_t kMaxKeptPaths = 4096;

// A build's rows stand together, and those of no other are among them.
bool BuildsInOrder(const traces::Columns& columns) {
  uint64_t rows = 0;
  for (const traces::BuildRows& build : columns.builds()) rows += build.end - build.begin;
  return rows == columns.size();
}

}  // namespace

std::vector<std::string> BuildNames(const traces::Columns& columns) {
  std::vector<std::string> names;
  for (const traces::BuildRows& build : columns.builds())
    names.emplace_back(columns.text(build.id));
  const traces::FieldColumn& name = columns.field(trace::field::kName);
  for (const traces::Row row : columns.rows_named(trace::span::kBuild)) {
    const auto text = name.StringAt(row);
    if (text && !columns.text(*text).empty()) names[columns.build()[row]] = columns.text(*text);
  }
  return names;
}

SpansTable::SpansTable(const traces::Columns& columns, std::vector<std::string> build_names)
    : data_(columns),
      build_(columns.build()),
      name_(columns.name()),
      start_ns_(columns.start_ns()),
      duration_ns_(columns.duration_ns()),
      self_ns_(columns.self_ns()),
      depth_(columns.depth()),
      parent_(columns.parent()),
      path_(columns.path()),
      strings_(columns.strings()),
      build_names_(std::move(build_names)),
      builds_in_order_(BuildsInOrder(columns)) {
  const uint64_t rows = columns.size();
  for (const FixedColumnSpec& fixed : kColumns) {
    sql_columns_.push_back({fixed.name, fixed.affinity, rows, 0});
  }
  const uint64_t traces = columns.traces().size();
  sql_columns_[kBuild].distinct = columns.builds().size();
  sql_columns_[kBuildName].distinct = columns.builds().size();
  sql_columns_[kTraceId].distinct = traces;
  sql_columns_[kName].distinct = columns.span_names().size();
  sql_columns_[kPath].distinct = columns.paths().size();
  sql_columns_[kDepth].distinct = 4;
  for (const Fixed column : {kSpanId, kStart, kStartNs, kEndNs, kId, kRawStartNs}) {
    sql_columns_[static_cast<size_t>(column)].distinct = rows;
  }
  sql_columns_[kParentId].distinct = sql_columns_[kParent].distinct = rows / 4;
  sql_columns_[kParent].values = rows - columns.roots().size();

  fields_ = NameFields(columns, sql_columns_, kMaxSqlColumns - kFixedColumns);
  for (const FieldName& field : fields_) {
    const traces::KindSet kinds =
        field.field ? columns.field_kinds(*field.field) : traces::KindSet();
    const uint64_t values = field.field ? columns.field_values(*field.field) : 0;
    sql_columns_.push_back({field.column, AffinityOf(kinds), values, 0});
    fields_with_column_ += field.field ? 1 : 0;
  }
  field_columns_.resize(fields_.size(), nullptr);
}

const traces::FieldColumn& SpansTable::Field(size_t index) const {
  const traces::FieldColumn*& column = field_columns_[index];
  if (column == nullptr) {
    const FieldName& name = fields_[index];
    column = name.field ? &data_.field(*name.field) : &data_.field(name.column);
  }
  return *column;
}

Cell FieldCell(const traces::Columns& columns, const traces::FieldColumn& field, traces::Row row) {
  const size_t at = field.IndexOf(row);
  if (at == traces::FieldColumn::kAbsent) return Cell::Null();
  const traces::Value value = field.value(at);
  switch (value.kind) {
    case traces::Kind::kNull:
      return Cell::Null();
    case traces::Kind::kBool:
      return Cell::Int(value.as_bool() ? 1 : 0);
    case traces::Kind::kInt:
      return Cell::Int(value.as_int());
    case traces::Kind::kDouble:
      return Cell::Double(value.as_double());
    case traces::Kind::kString:
      return Cell::Text(columns.text(value.as_string()), value.as_string() + 1);
    case traces::Kind::kJson:
      return Cell::Text(columns.text(value.as_string()), value.as_string() + 1, CellType::kJson);
  }
  return Cell::Null();
}

int SpansTable::FixedColumn(std::string_view name) const {
  int i = 0;
  while (i < kFixedColumns && sql_columns_[static_cast<size_t>(i)].name != name) ++i;
  CHECK(i < kFixedColumns);
  return i;
}

std::optional<std::string> SpansTable::ColumnOfField(std::string_view field) const {
  for (const FieldName& name : fields_) {
    if (name.field && data_.field_name(*name.field) == field) return name.column;
  }
  return std::nullopt;
}

int64_t SpansTable::BuildStart(uint32_t build) const {
  if (build_starts_.empty()) {
    build_starts_.assign(data_.builds().size(), INT64_MAX);
    for (traces::Row row = 0; row < data_.size(); ++row) {
      int64_t& start = build_starts_[data_.build()[row]];
      start = std::min(start, data_.start_ns()[row]);
    }
  }
  return build_starts_[build];
}

Cell SpansTable::PathAt(uint32_t path, std::string& scratch) const {
  if (data_.paths().size() > kMaxKeptPaths) {
    scratch = data_.PathText(path);
    return Cell::Transient(scratch, path + 1);
  }
  if (path_texts_.empty()) path_texts_.resize(data_.paths().size());
  std::string& text = path_texts_[path];
  if (text.empty()) text = data_.PathText(path);
  return Cell::Text(text, path + 1);
}

Cell SpansTable::At(traces::Row row, int column, std::string& scratch) const {
  switch (column) {
    case kBuild:
      return Cell::Text(data_.text(data_.builds()[build_[row]].id), build_[row] + 1);
    case kBuildName:
      return Cell::Text(build_names_[build_[row]], build_[row] + 1);
    case kTraceId:
      scratch = trace::Hex(data_.traces()[data_.trace()[row]]);
      return Cell::Transient(scratch, data_.trace()[row] + 1);
    case kSpanId:
      scratch = trace::Hex(data_.span_id()[row]);
      return Cell::Transient(scratch);
    case kParentId:
      if (data_.parent_id()[row] == 0) return Cell::Null();
      scratch = trace::Hex(data_.parent_id()[row]);
      return Cell::Transient(scratch);
    case kName:
      return Cell::Text(strings_[name_[row]], name_[row] + 1);
    case kStart:
      scratch = trace::FormatTime(start_ns_[row]);
      return Cell::Transient(scratch);
    case kStartNs:
      return Cell::Int(start_ns_[row]);
    case kDurationNs:
      return Cell::Int(duration_ns_[row]);
    case kEndNs:
      return Cell::Int(start_ns_[row] + duration_ns_[row]);
    case kSelfNs:
      return Cell::Int(self_ns_[row]);
    case kSecond: {
      int64_t since_ns = 0;
      if (__builtin_sub_overflow(start_ns_[row], BuildStart(build_[row]), &since_ns)) {
        return Cell::Null();
      }
      return Cell::Int(since_ns / 1'000'000'000);
    }
    case kDepth:
      return Cell::Int(depth_[row]);
    case kPath:
      return PathAt(path_[row], scratch);
    case kId:
      return Cell::Int(row);
    case kParent:
      return parent_[row] == traces::kNoRow ? Cell::Null() : Cell::Int(parent_[row]);
    case kRawStartNs:
      return Cell::Int(data_.raw_start_ns(row));
    case kFields:
      scratch.clear();
      data_.AppendFieldsJson(scratch, row);
      return Cell::Transient(scratch);
    default:
      return FieldCell(data_, Field(static_cast<size_t>(column - kFixedColumns)), row);
  }
}

std::optional<RowSet> SpansTable::FindBuild(std::string_view text, bool by_name) const {
  if (!builds_in_order_) return std::nullopt;
  RowSet found = RowSet::Range(0, 0);
  for (size_t i = 0; i < build_names_.size(); ++i) {
    const traces::BuildRows& build = data_.builds()[i];
    if (text != (by_name ? std::string_view(build_names_[i]) : data_.text(build.id))) continue;
    if (found.size() > 0) return std::nullopt;  // two of one name
    found = RowSet::Range(build.begin, build.end);
  }
  return found;
}

std::optional<RowSet> SpansTable::FindTrace(std::string_view hex) const {
  if (traces_by_low_id_.empty()) {
    for (uint32_t i = 0; i < data_.traces().size(); ++i) {
      traces_by_low_id_[data_.traces()[i].low].push_back(i);
    }
  }
  uint64_t low = 0;
  if (hex.size() != 32) return RowSet::Range(0, 0);
  for (const char c : hex.substr(16)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
    if (digit < 0) return RowSet::Range(0, 0);
    low = low << 4 | static_cast<uint64_t>(digit);
  }
  const auto it = traces_by_low_id_.find(low);
  if (it == traces_by_low_id_.end()) return RowSet::Range(0, 0);
  for (const uint32_t trace : it->second) {
    if (trace::Hex(data_.traces()[trace]) == hex) return RowSet::List(data_.rows_of_trace(trace));
  }
  return RowSet::Range(0, 0);
}

std::optional<RowSet> SpansTable::Find(int column, const Cell& value) const {
  if (value.is_text()) {
    if (column == kName) return RowSet::List(data_.rows_named(value.text()));
    if (column == kTraceId) return FindTrace(value.text());
    if (column == kBuild || column == kBuildName) {
      return FindBuild(value.text(), column == kBuildName);
    }
    return std::nullopt;
  }
  if (value.type != CellType::kInt || (column != kId && column != kParent)) return std::nullopt;
  if (value.integer < 0 || value.integer >= data_.size()) return RowSet::Range(0, 0);
  const auto row = static_cast<traces::Row>(value.integer);
  return column == kId ? RowSet::Range(row, row + 1) : RowSet::List(data_.children(row));
}

std::optional<RowSet> SpansTable::FindPresent(int column) const {
  if (column < kFixedColumns) return std::nullopt;
  const auto index = static_cast<size_t>(column - kFixedColumns);
  if (sql_columns_[static_cast<size_t>(column)].values >= rows()) return std::nullopt;
  const traces::FieldColumn& field = Field(index);
  std::vector<traces::Row> present;
  present.reserve(field.size());
  field.ForEachRow([&](traces::Row row) { present.push_back(row); });
  return RowSet::Own(std::move(present));
}

std::optional<std::vector<traces::Row>> SpansTable::SortedBy(int column) const {
  std::vector<traces::Row> out;
  if (column == kName) {
    std::map<std::string_view, traces::StringId> names;
    for (const traces::StringId id : data_.span_names()) names.emplace(data_.text(id), id);
    out.reserve(rows());
    for (const auto& [text, id] : names) {
      const auto named = data_.rows_named(id);
      out.insert(out.end(), named.begin(), named.end());
    }
  }
  // A string may have two ids (StringPool::AddDistinct).
  if (out.size() != rows()) return std::nullopt;
  return out;
}

}  // namespace llama::sql
