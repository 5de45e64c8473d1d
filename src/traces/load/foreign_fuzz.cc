// Documents of other formats. A first byte chooses what stands before an input, so that what is
// altered is mostly of the spans.
#include <array>
#include <string>
#include <string_view>

#include "base/fuzz.h"
#include "traces/load/load_checks.h"
#include "traces/load/trace_loader.h"

namespace llama::traces {
namespace {

constexpr std::array<std::string_view, 4> kHeads = {
    "", R"([{"ph":"X","name":"a","ts":1,"dur":9},)", R"({"displayTimeUnit":"ms","traceEvents":[)",
    R"({"resourceSpans":[{"scopeSpans":[{"spans":[)"};

}  // namespace

FUZZ_TARGET(bytes) {
  const std::string_view head = kHeads[TakeByte(bytes) % kHeads.size()];
  auto table = LoadTextTable(std::string(head) + std::string(bytes));
  CHECK(table->report.lines == table->size() + table->report.malformed + table->report.duplicates);
  CheckEverything(Columns(std::move(table)));
}

}  // namespace llama::traces
