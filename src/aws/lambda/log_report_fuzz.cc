// What Lambda says of an invocation: the end of its log, a function error's JSON, names.
#include "aws/lambda/functions.h"
#include "aws/lambda/log_report.h"
#include "base/fuzz.h"

namespace llama::aws {

FUZZ_TARGET(text) {
  const auto report = FindReport(text);
  if (report) CHECK(report->billed_ms >= 0 && report->memory_mb >= 0);
  CHECK(FunctionError("f", text, report).message.size() <= 10'000);
  if (const auto name = ParseFunctionName(text)) {
    CHECK(!name->name.empty());
    std::string whole = name->name;
    if (!name->qualifier.empty()) whole += ":" + name->qualifier;
    const auto again = ParseFunctionName(whole);
    CHECK(again.has_value() && *again == *name);
  }
}

}  // namespace llama::aws
