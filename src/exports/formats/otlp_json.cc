// OTLP in JSON: ids in hexadecimal, 64-bit numbers as strings, enums as numbers. An element of the
// list is one or more ResourceSpans.
#include <memory>

#include "base/text/json.h"
#include "exports/formats/encoders.h"
#include "exports/formats/otlp_span.h"
#include "exports/io/json_writer.h"

namespace llama::exports {
namespace {

class OtlpJsonEncoder final : public SpanEncoder {
 public:
  explicit OtlpJsonEncoder(const Selection& selection)
      : columns_(selection.columns()), spans_(columns_), services_(columns_), keys_(columns_) {}

  void Append(std::string& out, std::span<const Row> rows, bool fields) override {
    bool first = true;
    for (const OtlpGroup& group : GroupByResource(columns_, services_, rows)) {
      out += first ? R"({"resource":{"attributes":[)" : R"(,{"resource":{"attributes":[)";
      first = false;
      out += R"({"key":"service.name","value":{"stringValue":")";
      out += group.worker ? kWorkerService : kClientService;
      out += R"("}},{"key":"llama.build_id","value":{"stringValue":)";
      AppendJsonString(out, columns_.text(columns_.builds()[group.build].id));
      out += R"(}}]},"scopeSpans":[{"scope":{"name":"llama"},"spans":[)";
      for (size_t i = 0; i < group.rows.size(); ++i) {
        out += i == 0 ? "\n" : ",\n";
        AppendSpan(out, group.rows[i], fields);
      }
      out += "]}]}";
    }
  }

 private:
  void AppendSpan(std::string& out, Row row, bool fields) const {
    out += R"({"traceId":")";
    AppendHex(out, columns_.traces()[columns_.trace()[row]]);
    out += R"(","spanId":")";
    AppendHex(out, columns_.span_id()[row]);
    if (columns_.parent_id()[row] != 0) {
      out += R"(","parentSpanId":")";
      AppendHex(out, columns_.parent_id()[row]);
    }
    out += R"(","name":)";
    AppendJsonString(out, columns_.text(columns_.name()[row]));
    out += R"(,"kind":)";
    AppendInt(out, static_cast<int>(spans_.Kind(row)));
    out += R"(,"startTimeUnixNano":")";
    AppendInt(out, spans_.StartNs(row));
    out += R"(","endTimeUnixNano":")";
    AppendInt(out, spans_.EndNs(row));
    out += '"';
    if (fields) AppendAttributes(out, row);
    AppendLink(out, row);
    if (const auto error = spans_.ErrorText(row)) {
      out += R"(,"status":{"message":)";
      AppendJsonString(out, *error);
      out += R"(,"code":2})";
    }
    out += '}';
  }

  void AppendLink(std::string& out, Row row) const {
    const auto link = spans_.Link(row);
    if (!link) return;
    out += R"(,"links":[{"traceId":")";
    AppendHex(out, link->trace_id);
    out += R"(","spanId":")";
    AppendHex(out, link->span_id);
    out += R"("}])";
  }

  void AppendAttributes(std::string& out, Row row) const {
    bool first = true;
    for (const traces::FieldId id : columns_.fields_of(row)) {
      const auto value = columns_.field(id).At(row);
      if (!value) continue;
      out += first ? R"(,"attributes":[{"key":)" : R"(,{"key":)";
      first = false;
      out += keys_.Name(id);
      out += R"(,"value":{)";
      AppendAnyValue(out, *value);
      out += "}}";
    }
    if (!first) out += ']';
  }

  void AppendAnyValue(std::string& out, traces::Value value) const {
    switch (value.kind) {
      case traces::Kind::kNull:
        return;
      case traces::Kind::kBool:
        out += value.as_bool() ? R"("boolValue":true)" : R"("boolValue":false)";
        return;
      case traces::Kind::kInt:
        out += R"("intValue":")";
        AppendInt(out, value.as_int());
        out += '"';
        return;
      case traces::Kind::kDouble:
        out += R"("doubleValue":)";
        AppendDouble(out, value.as_double());
        return;
      case traces::Kind::kString:
      case traces::Kind::kJson:
        out += R"("stringValue":)";
        AppendJsonString(out, columns_.text(value.as_string()));
        return;
    }
  }

  const traces::Columns& columns_;
  const OtlpSpans spans_;
  const Services services_;
  const FieldKeys keys_;
};

std::unique_ptr<SpanEncoder> NewOtlpJsonEncoder(const Selection& selection) {
  return std::make_unique<OtlpJsonEncoder>(selection);
}

constexpr SpanList kOtlpJsonList = {.prefix = "{\"resourceSpans\":[",
                                    .separator = ",",
                                    .suffix = "]}\n",
                                    .new_encoder = NewOtlpJsonEncoder,
                                    .element_spans = 256,
                                    .content_type = "application/json",
                                    .path = "/v1/traces",
                                    .max_request_spans = 2048,
                                    .max_request_bytes = 4 << 20,
                                    .read_answer = ReadOtlpJsonAnswer};

}  // namespace

const SpanList& OtlpJsonList() { return kOtlpJsonList; }

}  // namespace llama::exports
