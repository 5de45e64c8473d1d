// Builds for the tests of the analyses: a line a unit, times in milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::analysis {

// A `build` from 0 to `end_ms`.
inline std::string BuildText(int64_t end_ms, std::string_view fields) {
  return traces::SpanText(1000, 1, 0, "build", 0, end_ms, fields);
}

// A remote compile whose whole time is its worker's.
inline std::string RemoteText(int unit, int64_t begin_ms, int64_t end_ms,
                              std::string_view source = "", std::string_view fields = "") {
  std::string root = R"("remote":true)";
  if (!source.empty()) {
    const std::string name(source);
    root += R"(,"source":")" + name + R"(.c","object":")" + name + R"(.o")";
  }
  if (!fields.empty()) root.append(",").append(fields);
  const int64_t ms = end_ms - begin_ms;
  return traces::SpanText(unit, 1, 0, "llamacc", begin_ms, ms, root) +
         traces::SpanText(unit, 2, 1, "invoke", begin_ms, ms, R"("function":"lambda:f")") +
         traces::SpanText(unit, 3, 2, "worker", begin_ms, ms) +
         traces::SpanText(unit, 4, 3, "exec", begin_ms, ms);
}

inline std::string LocalText(int unit, int64_t begin_ms, int64_t end_ms, std::string_view fields) {
  return traces::SpanText(
             unit, 1, 0, "llamacc", begin_ms, end_ms - begin_ms,
             std::string(R"("remote":false)").append(fields.empty() ? "" : ",").append(fields)) +
         traces::SpanText(unit, 2, 1, "local", begin_ms, end_ms - begin_ms);
}

}  // namespace llama::analysis
