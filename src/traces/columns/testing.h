// Small traces for tests, made by hand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "trace/span.h"
#include "traces/columns/columns.h"

namespace llama::traces {

inline constexpr int64_t kTestMs = 1'000'000;
inline constexpr int64_t kTestStartNs = 1'795'335'650'000'000'000;  // 2026-11-22T08:20:50Z

// A line with ids and `rest`, which is the other keys.
inline std::string SpanLine(std::string_view rest) {
  return std::string(R"({"trace_id":"0af7651916cd43dd8448eb211c80319c",)")
      .append(R"("span_id":"b7ad6b7169203331","parent_id":"00f067aa0ba902b7",)")
      .append(rest)
      .append("}");
}

// A line with its newline, as the daemon writes it; times are milliseconds from kTestStartNs.
inline std::string SpanText(int trace, int span, int parent, std::string_view name,
                            int64_t start_ms, int64_t duration_ms, std::string_view fields = "") {
  trace::Span row;
  row.trace_id = {0xabc, static_cast<uint64_t>(trace)};
  row.span_id = static_cast<uint64_t>(span);
  row.parent_id = static_cast<uint64_t>(parent);
  row.name = name;
  row.start_ns = kTestStartNs + start_ms * kTestMs;
  row.duration_ns = duration_ms * kTestMs;
  std::string line;
  trace::AppendJsonLine(line, row);
  return line.replace(line.rfind("{}"), 2, std::string("{").append(fields).append("}"));
}

// A trace with something of everything.
inline std::string MixedTrace(int compiles) {
  std::string text = "not a span\n";
  for (int i = 1; i <= compiles; ++i) {
    text += SpanText(i, 2, 1, "invoke", i * 10, 8,
                     R"("worker_id":"w)" + std::to_string(i % 3) + R"(","cost":)" +
                         (i % 2 == 0 ? "0" : "1.5e-7") + R"(,"mixed":)" +
                         (i % 3 == 0   ? "1"
                          : i % 3 == 1 ? "\"one\""
                                       : "[1]"));
    text += SpanText(i, 3, 2, "worker", i * 10 + 1000, 6, R"("cold":true,"none":null)");
    if (i % 50 == 7) text += SpanText(i, 4, 77, "orphan", i, 1, R"("rare":-5)");
    text += SpanText(i, 1, 0, "llamacc", i * 10, 9,
                     R"("global.build_id":"b","source":"s)" + std::to_string(i) + R"(.c")");
  }
  // Twice the same, the second with a field that no other has.
  text += SpanText(1, 5, 5, "cycle", 0, 1) + SpanText(1, 5, 5, "cycle", 0, 1, R"("again":1)");
  return text;
}

inline std::string FieldsOf(const Columns& columns, Row row) {
  std::string json;
  columns.AppendFieldsJson(json, row);
  return json;
}

}  // namespace llama::traces
