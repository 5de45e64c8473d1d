// Everything that is loaded: after a first byte, an input is a trace, or (if that
// byte is odd) a columnar file whose hash is made to fit. Reading it must neither crash nor give a
// table whose parts don't fit together.
#include <string>
#include <string_view>

#include "base/fuzz.h"
#include "base/hash.h"
#include "traces/load/columnar_file.h"
#include "traces/load/columnar_layout.h"
#include "traces/load/load_checks.h"
#include "traces/load/trace_loader.h"
#include "traces/load/tree.h"

namespace llama::traces {
namespace {

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
