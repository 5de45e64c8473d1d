// The text form of a span: one line of the trace file.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text/json.h"
#include "trace/span.h"

namespace llama::trace {
namespace {

void AppendInt(std::string& out, int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

void AppendHex(std::string& out, uint64_t bits) {
  char digits[16];
  for (size_t i = sizeof digits; i-- > 0; bits >>= 4) digits[i] = "0123456789abcdef"[bits & 15];
  out.append(digits, sizeof digits);
}

void AppendValue(std::string& out, const Value& value) {
  if (const auto* i = std::get_if<int64_t>(&value)) AppendInt(out, *i);
  if (const auto* b = std::get_if<bool>(&value)) out.append(*b ? "true" : "false");
  if (const auto* s = std::get_if<std::string>(&value)) AppendJsonString(out, *s);
  if (const auto* d = std::get_if<double>(&value)) {
    if (!std::isfinite(*d)) {
      out.append("null");
      return;
    }
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, *d);
    out.append(digits, end.ptr);
  }
}

}  // namespace

void AppendJsonLine(std::string& out, const Span& span) {
  out.append(R"({"trace_id":")");
  AppendHex(out, span.trace_id.high);
  AppendHex(out, span.trace_id.low);
  out.append(R"(","span_id":")");
  AppendHex(out, span.span_id);
  out.append(R"(","parent_id":")");
  if (span.parent_id != 0) AppendHex(out, span.parent_id);
  out.append(R"(","name":)");
  AppendJsonString(out, span.name);
  out.append(R"(,"start":")").append(FormatTime(span.start_ns));
  out.append(R"(","duration":)");
  AppendInt(out, span.duration_ns);
  out.append(R"(,"fields":{)");
  bool first = true;
  for (auto field = span.fields.begin(); field != span.fields.end(); ++field) {
    const bool is_last = std::none_of(field + 1, span.fields.end(), [&](const auto& later) {
      return later.first == field->first;
    });
    if (!is_last) continue;
    if (!first) out.push_back(',');
    first = false;
    AppendJsonString(out, field->first);
    out.push_back(':');
    AppendValue(out, field->second);
  }
  out.append("}}\n");
}

}  // namespace llama::trace
