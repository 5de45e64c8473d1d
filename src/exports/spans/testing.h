// What the exporters' tests share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "exports/formats/format.h"
#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::exports {

using traces::SpanText;

inline Selection SelectAll(const traces::Columns& columns) {
  auto selection = Selection::Of(columns);
  EXPECT_TRUE(selection) << selection.error().message;
  return *std::move(selection);
}

struct Written {
  std::string text;
  ExportCounts counts;
};

inline Written WriteAs(std::string_view format, const Selection& selection,
                       const ExportOptions& options = {}, uint64_t max_bytes = Output::kNoLimit) {
  StringSink sink;
  Output out(sink, max_bytes);
  Written written;
  written.counts = FindFormat(format)->write(selection, options, out);
  EXPECT_TRUE(out.Finish());
  written.text = sink.text();
  return written;
}

// One compile, done remotely, of a build with one sample of its machine.
//
//   ms      0         10        20        30        40
//   build   [========================================]
//   machine [===================]
//   llamacc      [========================]              5–30
//     invoke       [==================]                  7–26
//       worker        [=============]                   10–24
//     write                           [===]             26–30
inline std::string SmallBuild() {
  return SpanText(1, 1, 0, "build", 0, 40, R"("global.build_id":"b","name":"small")") +
         SpanText(1, 2, 1, "machine", 0, 20, R"("cpu.user_ns":30000000,"jobs.remote":1)") +
         SpanText(2, 0x11, 0, "llamacc", 5, 25,
                  R"("global.build_id":"b","source":"src/a.c","remote":true,)"
                  R"("link.trace_id":"0000000000000abc0000000000000001",)"
                  R"("link.span_id":"0000000000000001")") +
         SpanText(2, 0x12, 0x11, "invoke", 7, 19,
                  R"("payload_bytes":5120,"cost_usd":1.5e-7,"error":"a \"lost\" worker",)"
                  R"("function":"local")") +
         SpanText(2, 0x13, 0x12, "worker", 10, 14,
                  R"("worker_id":"w1","cold_start":false,"list":[1,2],"none":null)") +
         SpanText(2, 0x14, 0x11, "write", 26, 4);
}

}  // namespace llama::exports
