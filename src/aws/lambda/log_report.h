// What Lambda says of an invocation besides its answer: the REPORT line at the end of its log, and
// the JSON of a function error. Reads foreign bytes; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::aws {

struct LambdaReport {
  int64_t billed_ms = 0;
  int64_t memory_mb = 0;
  int64_t max_memory_mb = 0;
  std::optional<double> init_ms;  // of a cold start
};

// From the tail of a log; nothing if there is no REPORT line in it.
std::optional<LambdaReport> FindReport(std::string_view log);

// A function error as an Error that says what happened and what helps:
//   kUnavailable   the worker vanished; another may do it
//   kDeadline      the function's own timeout
//   kRemoteFailed  out of memory, code that does not start, what the worker itself reported
// `body` is the answer's, `report` what the log said.
Error FunctionError(std::string_view function, std::string_view body,
                    const std::optional<LambdaReport>& report);

}  // namespace llama::aws
