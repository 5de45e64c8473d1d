#include "traces/foreign/input_format.h"

#include <algorithm>
#include <array>

#include "traces/foreign/json_parts.h"

namespace llama::traces {
namespace {

struct Known {
  std::string_view begins;
  std::string_view what;
};

// By their first bytes.
constexpr std::array<Known, 8> kBinary = {{
    {"PK\x03\x04", "a zip archive: unpack it, and name the file that was in it"},
    {"\xfd"
     "7zXZ",
     "compressed by xz: 'xz -dc FILE | llama ... -' reads it"},
    {"BZh", "compressed by bzip2: 'bzip2 -dc FILE | llama ... -' reads it"},
    {"\x04\x22\x4d\x18", "compressed by lz4: 'lz4 -dc FILE | llama ... -' reads it"},
    {"SQLite format 3", "an SQLite database: sqlite3 reads it"},
    {"PAR1", "Parquet: DuckDB reads it"},
    {"llamacl1", "the cache beside a build's trace: name the build, or its folder"},
    {"llamagr1", "the graph beside a build's trace: name the build, or its folder"},
}};

constexpr std::string_view kProtobuf =
    "a protobuf, as of Perfetto or of OTLP: Perfetto's 'traceconv json FILE' makes Chrome's JSON "
    "of "
    "it, which is read, and so is OTLP in JSON";
constexpr std::string_view kJaeger =
    "Jaeger's JSON: fetch the trace as OTLP, which is read, from /api/v3/traces/ID";
constexpr std::string_view kZipkin =
    "Zipkin's JSON: OpenTelemetry's collector makes OTLP of it (receiver zipkin, exporter file), "
    "which is read";
constexpr std::string_view kXray = "AWS X-Ray's: export the build as ndjson, otlp-json or chrome";
constexpr std::string_view kHoneycomb =
    "Honeycomb's: export the build as ndjson, otlp-json or chrome";
constexpr std::string_view kSpeedscope =
    "speedscope's, which has no spans: export the build as ndjson, otlp-json or chrome";

// Text has none of them.
bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\r' && c != '\t';
  });
}

// Field 1 with a length: a packet of Perfetto's, the resource's spans of OTLP.
bool IsProtobuf(std::string_view head) {
  return head.starts_with('\n') && HasControls(head.substr(0, 256));
}

std::string_view FirstElement(std::string_view array) {
  JsonParts elements(array);
  return elements.Next() ? elements.value() : std::string_view();
}

bool Has(std::string_view object, std::string_view key) { return !JsonMember(object, key).empty(); }

// Or what it is that is not read.
Result<InputFormat, std::string_view> FormatOfArray(std::string_view head) {
  const std::string_view first = FirstElement(head);
  if (Has(first, "ph")) return InputFormat::kChrome;
  if (Has(first, "traceId") && Has(first, "id")) return kZipkin;
  if (Has(first, "data") && Has(first, "time")) return kHoneycomb;
  return InputFormat::kLines;
}

Result<InputFormat, std::string_view> FormatOfObject(std::string_view head) {
  for (JsonParts members(head); members.Next();) {
    const std::string_view key = members.key();
    if (key == "traceEvents" || key == "displayTimeUnit" || key == "beginningOfTime") {
      return InputFormat::kChrome;
    }
    if (key == "resourceSpans") return InputFormat::kOtlp;
    if (key == "result" && Has(members.value(), "resourceSpans")) return InputFormat::kOtlp;
    if (key == "data" && Has(FirstElement(members.value()), "traceID")) return kJaeger;
    if (key == "$schema" && members.value().find("speedscope") != std::string_view::npos) {
      return kSpeedscope;
    }
  }
  if (Has(head, "trace_id") && Has(head, "start_time")) return kXray;
  return InputFormat::kLines;
}

}  // namespace

Result<InputFormat> FormatOf(std::string_view head, const std::string& name) {
  const auto not_read = [&](std::string_view what) {
    return Error{Code::kInvalid, name + ": not read, since this is " + std::string(what)};
  };
  for (const Known& known : kBinary) {
    if (head.starts_with(known.begins)) return not_read(known.what);
  }
  if (IsProtobuf(head)) return not_read(kProtobuf);
  const std::string_view text = WithoutLeadingBlanks(head);
  const bool is_json = text.starts_with('[') || text.starts_with('{');
  if (!is_json) return InputFormat::kLines;
  const auto format = text[0] == '[' ? FormatOfArray(text) : FormatOfObject(text);
  if (!format) return not_read(format.error());
  return *format;
}

}  // namespace llama::traces
