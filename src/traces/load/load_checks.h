// For fuzz targets: whatever was loaded, the parts of its columns fit together.
#pragma once

#include <string>

#include "base/log.h"
#include "traces/columns/columns.h"

namespace llama::traces {

inline void CheckEverything(const Columns& columns) {
  for (Row row = 0; row < columns.size(); ++row) {
    CHECK(columns.parent()[row] == kNoRow || columns.parent()[row] < columns.size());
    CHECK(columns.self_ns()[row] >= 0 && columns.self_ns()[row] <= columns.duration_ns()[row]);
    CHECK(columns.end_ns(row) >= columns.start_ns()[row]);
    (void)columns.raw_start_ns(row);
    (void)columns.PathText(columns.path()[row]);
    (void)columns.text(columns.name()[row]);
    (void)columns.text(columns.builds()[columns.build()[row]].id);
    CHECK(columns.trace()[row] < columns.traces().size());
    std::string json;
    columns.AppendFieldsJson(json, row);
  }
  for (FieldId id = 0; id < columns.field_count(); ++id) {
    CHECK(columns.field(id).size() <= columns.size());
    columns.field(id).ForEach([&](Row row, Value) { CHECK(row < columns.size()); });
  }
}

}  // namespace llama::traces
