// Everything that is loaded: after a first byte, an input is a trace, or (if that
// byte is odd) a columnar file whose hash is made to fit. Reading it must neither crash nor give a
// table whose parts don't fit together.
#include <string>
#include <string_view>

#include "base/fuzz.h"
#include "base/hash.h"
#include "traces/load/columnar_file.h"
#include "traces/load/columnar_layout.h"
#include "traces/load/trace_loader.h"
#include "traces/load/tree.h"

namespace llama::traces {
namespace {

void CheckEverything(const Columns& columns) {
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

void LoadColumnar(std::string file) {
  if (file.size() >= kColumnarHeadBytes) {
    uint64_t hash = Hash(std::string_view(file).substr(16), kColumnarHashSeed);
    for (size_t i = 0; i < 8; ++i, hash >>= 8) file[8 + i] = static_cast<char>(hash);
  }
  auto table = DecodeColumnar(std::move(file), SourceStamp{});
  if (!table) return;
  CompleteTree(**table);
  CheckEverything(Columns(std::move(*table)));
}

// What is read can be written, and read again.
void LoadTrace(std::string_view bytes) {
  auto table = LoadTextTable(bytes);
  const Row rows = table->size();
  CHECK(table->report.lines == rows + table->report.malformed + table->report.duplicates);
  const std::string file = EncodeColumnar(*table, SourceStamp{});
  CheckEverything(Columns(std::move(table)));
  if (file.empty()) return;
  auto again = DecodeColumnar(file, SourceStamp{});
  CHECK(again.has_value());
  CHECK((*again)->size() == rows);
}

}  // namespace

FUZZ_TARGET(bytes) {
  if (TakeByte(bytes) % 2 != 0) {
    LoadColumnar(std::string(bytes));
  } else {
    LoadTrace(bytes);
  }
}

}  // namespace llama::traces
