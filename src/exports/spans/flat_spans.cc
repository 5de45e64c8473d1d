#include "exports/spans/flat_spans.h"

#include <algorithm>

#include "sql/names.h"

namespace llama::exports {

FlatSpans::FlatSpans(const Selection& selection, bool fields) : columns_(selection.columns()) {
  column_of_.assign(columns_.field_count(), kNoColumn);
  if (!fields) return;
  std::vector<char> used(columns_.field_count(), 0);
  for (const Row row : selection.rows()) {
    for (const traces::FieldId id : columns_.fields_of(row)) used[id] = 1;
  }
  std::vector<sql::SqlColumn> fixed;
  for (const std::string_view name : kFlatNames) {
    fixed.push_back({std::string(name), sql::Affinity::kNone, 0, 0});
  }
  for (sql::FieldName& field : sql::NameFields(columns_, fixed, columns_.field_count())) {
    if (!field.field || used[*field.field] == 0) continue;
    column_of_[*field.field] = static_cast<uint32_t>(fields_.size());
    fields_.push_back({*field.field, std::move(field.column)});
  }
}

std::string_view FlatSpans::Path(Row row) {
  const uint32_t path = columns_.path()[row];
  if (path != last_path_) path_text_ = columns_.PathText(last_path_ = path);
  return path_text_;
}

void FlatSpans::ValuesOf(Row row, Values& out) const {
  out.clear();
  for (const traces::FieldId id : columns_.fields_of(row)) {
    if (column_of_[id] == kNoColumn) continue;
    if (const auto value = columns_.field(id).At(row)) out.emplace_back(column_of_[id], *value);
  }
  const auto by_column = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(out.begin(), out.end(), by_column)) {
    std::sort(out.begin(), out.end(), by_column);
  }
}

}  // namespace llama::exports
