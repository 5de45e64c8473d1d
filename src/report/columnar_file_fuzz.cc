// Fuzz target for the columnar file: an input is one, with a hash that fits. Reading it must
// neither crash nor give a table whose parts don't fit together.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.h"
#include "report/columnar_file.h"
#include "report/columnar_layout.h"
#include "report/hash.h"

namespace llama::report {
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

}  // namespace
}  // namespace llama::report

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llama::report;  // NOLINT: a C function stands outside the namespace
  std::string file(reinterpret_cast<const char*>(data), size);
  if (file.size() >= kColumnarHeadBytes) {
    uint64_t hash = Hash(std::string_view(file).substr(16), kColumnarHashSeed);
    for (size_t i = 0; i < 8; ++i, hash >>= 8) file[8 + i] = static_cast<char>(hash);
  }
  auto table = DecodeColumnar(std::move(file), SourceStamp{});
  if (table) CheckEverything(Columns(std::move(*table)));
  return 0;
}
