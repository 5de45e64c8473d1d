// Spans: what every part records of what it did (docs/trace_format.md).
//
// A span is {trace id, span id, parent id, name, start, duration, fields}. One compile is one
// trace: a tree of spans from the wrapper through the daemon into the worker. Ids are W3C trace
// context's: 16-byte trace ids, 8-byte span ids; zero is "none".
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/codec.h"

namespace llama::trace {

struct TraceId {
  uint64_t high = 0;
  uint64_t low = 0;
  auto operator<=>(const TraceId&) const = default;
  bool valid() const { return high != 0 || low != 0; }
};

using SpanId = uint64_t;  // 0: none

// Random ids from getrandom(2). Thread-safe.
TraceId NewTraceId();
SpanId NewSpanId();

std::string Hex(TraceId id);  // 32 digits
std::string Hex(SpanId id);   // 16 digits

// Where a child span hangs: what travels in wire messages and in TRACEPARENT.
struct Context {
  TraceId trace_id;
  SpanId span_id = 0;
  bool valid() const { return trace_id.valid() && span_id != 0; }
  auto operator<=>(const Context&) const = default;
};

// "00-<32 hex>-<16 hex>-01" (https://www.w3.org/TR/trace-context/#traceparent-header).
std::string FormatTraceparent(const Context& context);
// Nothing unless it is a well-formed version-00 (or later, by its first four parts) header with
// valid ids.
std::optional<Context> ParseTraceparent(std::string_view text);

using Value = std::variant<int64_t, double, bool, std::string>;

struct Span {
  TraceId trace_id;
  SpanId span_id = 0;
  SpanId parent_id = 0;
  std::string name;
  int64_t start_ns = 0;  // since the Unix epoch
  int64_t duration_ns = 0;
  std::vector<std::pair<std::string, Value>> fields;

  int64_t end_ns() const { return start_ns + duration_ns; }
  Context context() const { return {trace_id, span_id}; }
  void Set(std::string_view key, Value value);  // appends; the last of equal keys counts
  void Set(std::string_view key, std::string value) { Set(key, Value(std::move(value))); }
  void Set(std::string_view key, std::string_view value) { Set(key, std::string(value)); }
  void Set(std::string_view key, const char* value) { Set(key, std::string(value)); }
  // Any integer; without this a literal 0 would be a null const char*.
  template <std::integral T>
  requires(!std::same_as<T, bool>) void Set(std::string_view key, T value) {
    Set(key, Value(static_cast<int64_t>(value)));
  }
  const Value* Find(std::string_view key) const;
};

// A new span below `parent` (a trace of its own if that is not valid), not yet ended.
Span StartSpan(std::string_view name, const Context& parent, int64_t start_ns);

// "2026-11-22T08:20:50.123456789Z": RFC 3339 in UTC, always with nine digits of a second.
std::string FormatTime(int64_t time_ns);
// Any RFC 3339 time that fits: fewer digits, more (cut off), another offset than Z. Nothing if it
// is none.
std::optional<int64_t> ParseTime(std::string_view text);

// One line of the trace file, newline included. Of fields with equal keys the last is written.
void AppendJsonLine(std::string& out, const Span& span);

// The binary form in wire messages: at most 256 fields, the last ones. Decode fails on the decoder
// for malformed input.
void Encode(Encoder& out, const Span& span);
Span DecodeSpan(Decoder& in);
void Encode(Encoder& out, const Context& context);
Context DecodeContext(Decoder& in);

}  // namespace llama::trace
