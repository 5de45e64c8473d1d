#include "traces/foreign/otlp_reader.h"

#include <simdjson.h>

#include <charconv>
#include <optional>
#include <string>

#include "base/text/json.h"
#include "trace/names.h"
#include "traces/foreign/foreign_span.h"
#include "traces/foreign/json_parts.h"

namespace llama::traces {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

// Of values in values; deeper ones are null.
constexpr int kMaxValueDepth = 32;

std::string LowerHex(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string StringAt(const object& from, std::string_view key) {
  std::string_view text;
  return from[key].get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// 64-bit numbers are strings in protobuf's JSON; a number is understood, too.
std::optional<int64_t> IntOf(const element& value) {
  int64_t number = 0;
  if (value.get_int64().get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int64_t> IntAt(const object& from, std::string_view key) {
  element value;
  if (from[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return IntOf(value);
}

std::string JsonOf(const object& any_value, int depth);

std::string JsonOfList(const element& list, int depth) {
  simdjson::dom::array values;
  std::string json = "[";
  if (list["values"].get_array().get(values) == simdjson::SUCCESS) {
    for (const element value : values) {
      object any_value;
      if (value.get_object().get(any_value) != simdjson::SUCCESS) continue;
      json.append(json.size() > 1 ? "," : "").append(JsonOf(any_value, depth));
    }
  }
  return json + "]";
}

// The members of an object that {key, value} pairs make.
std::string MembersOf(const simdjson::dom::array& pairs, int depth) {
  std::string members;
  for (const element pair : pairs) {
    object attribute;
    object any_value;
    if (pair.get_object().get(attribute) != simdjson::SUCCESS) continue;
    const bool has_value = attribute["value"].get_object().get(any_value) == simdjson::SUCCESS;
    AppendMember(members, StringAt(attribute, "key"),
                 has_value ? JsonOf(any_value, depth) : std::string("null"));
  }
  return members;
}

// An AnyValue: of its members there is one.
std::string JsonOf(const object& any_value, int depth) {
  if (depth >= kMaxValueDepth) return "null";
  for (const auto& [key, value] : any_value) {
    std::string_view text;
    const bool is_text = value.get_string().get(text) == simdjson::SUCCESS;
    if (is_text && (key == "stringValue" || key == "bytesValue" || key == "doubleValue")) {
      JsonWriter json;
      return json.String(text).Take();
    }
    if (key == "intValue") {
      const auto number = IntOf(value);
      return number ? std::to_string(*number) : "null";
    }
    if (key == "boolValue" || key == "doubleValue") return simdjson::minify(value);
    if (key == "arrayValue") return JsonOfList(value, depth + 1);
    simdjson::dom::array pairs;
    if (key == "kvlistValue" && value["values"].get_array().get(pairs) == simdjson::SUCCESS) {
      return "{" + MembersOf(pairs, depth + 1) + "}";
    }
  }
  return "null";
}

class OtlpReader {
 public:
  explicit OtlpReader(SpanSink& out) : out_(out) {}

  void Read(std::string_view documents) {
    while (!(documents = WithoutLeadingBlanks(documents)).empty()) {
      JsonParts members(documents);
      while (members.Next() && out_.HasRoom(0)) ReadMember(members.key(), members.value());
      if (!out_.HasRoom(0)) return;
      if (members.is_cut_off() || members.rest().size() == documents.size()) {
        return out_.NoteCutOff();  // the end, or what is no document
      }
      documents = members.rest();
    }
  }

 private:
  void ReadMember(std::string_view key, std::string_view value) {
    if (key == "result") return ReadMember("resourceSpans", JsonMember(value, "resourceSpans"));
    if (key != "resourceSpans") return;
    for (JsonParts resources(value); resources.Next();) {
      ReadResource(resources.value());
      if (!out_.HasRoom(0)) return;
    }
  }

  void ReadResource(std::string_view resource_spans) {
    service_ = ServiceOf(JsonMember(resource_spans, "resource"));
    // The second is what the first was called before version 1.0.
    for (const char* key : {"scopeSpans", "instrumentationLibrarySpans"}) {
      for (JsonParts scopes(JsonMember(resource_spans, key)); scopes.Next();) {
        for (JsonParts spans(JsonMember(scopes.value(), "spans")); spans.Next();) {
          ReadSpan(spans.value());
          if (!out_.HasRoom(service_.size())) return;
        }
      }
    }
  }

  // As JSON; empty if it says none, or is a resource of llama's.
  std::string ServiceOf(std::string_view resource) {
    element root;
    simdjson::dom::array attributes;
    if (resource.empty() || resource.size() > kMaxPartBytes ||
        parser_.parse(resource.data(), resource.size()).get(root) != simdjson::SUCCESS ||
        root["attributes"].get_array().get(attributes) != simdjson::SUCCESS) {
      return {};
    }
    std::string service;
    for (const element pair : attributes) {
      object attribute;
      object value;
      if (pair.get_object().get(attribute) != simdjson::SUCCESS) continue;
      const std::string key = StringAt(attribute, "key");
      if (key == "llama.build_id") return {};
      if (key == "service.name" &&
          attribute["value"].get_object().get(value) == simdjson::SUCCESS) {
        service = JsonOf(value, 0);
      }
    }
    return service;
  }

  void ReadSpan(std::string_view text) {
    if (text.size() > kMaxPartBytes) return out_.RejectTooLong();
    element root;
    object span;
    if (parser_.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS ||
        root.get_object().get(span) != simdjson::SUCCESS) {
      return out_.Reject("not a JSON object");
    }
    const auto start_ns = IntAt(span, "startTimeUnixNano");
    const auto end_ns = IntAt(span, "endTimeUnixNano");
    ForeignSpan found;
    if (!start_ns || !end_ns || __builtin_sub_overflow(*end_ns, *start_ns, &found.duration_ns)) {
      return out_.Reject("startTimeUnixNano or endTimeUnixNano is no time in nanoseconds");
    }
    found.trace_id = LowerHex(StringAt(span, "traceId"));
    found.span_id = LowerHex(StringAt(span, "spanId"));
    found.parent_id = LowerHex(StringAt(span, "parentSpanId"));
    found.name = StringAt(span, "name");
    found.start_ns = *start_ns;
    simdjson::dom::array attributes;
    if (span["attributes"].get_array().get(attributes) == simdjson::SUCCESS) {
      found.fields = MembersOf(attributes, 0);
    }
    AddError(span, found.fields);
    if (!service_.empty()) AppendMember(found.fields, "service.name", service_);
    out_.Add(LineOf(found));
  }

  // What llama exports has it as an attribute, too; then that counts, which comes first.
  static void AddError(const object& span, std::string& fields) {
    constexpr int64_t kErrorCode = 2;
    object status;
    if (span["status"].get_object().get(status) != simdjson::SUCCESS) return;
    std::string_view code;
    const bool is_error =
        IntAt(status, "code") == kErrorCode ||
        (status["code"].get_string().get(code) == simdjson::SUCCESS && code == "STATUS_CODE_ERROR");
    if (!is_error || fields.find("\"error\":") != std::string::npos) return;
    const std::string message = StringAt(status, "message");
    JsonWriter json;
    AppendMember(fields, trace::field::kError,
                 message.empty() ? "true" : json.String(message).str());
  }

  SpanSink& out_;
  simdjson::dom::parser parser_;
  std::string service_;
};

}  // namespace

void ReadOtlp(std::string_view document, SpanSink& out) { OtlpReader(out).Read(document); }

}  // namespace llama::traces
