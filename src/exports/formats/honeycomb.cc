// Honeycomb's batched events: a span is an event with the trace.* columns that its trace view
// reads.
#include <simdjson.h>

#include <memory>

#include "base/text/json.h"
#include "exports/formats/encoders.h"
#include "exports/io/json_writer.h"
#include "exports/spans/services.h"
#include "trace/span.h"

namespace llama::exports {
namespace {

class HoneycombEncoder final : public SpanEncoder {
 public:
  explicit HoneycombEncoder(const Selection& selection)
      : columns_(selection.columns()),
        services_(columns_),
        keys_(columns_, {"name", "service.name", "duration_ms", "trace.trace_id", "trace.span_id",
                         "trace.parent_id"}) {}

  void Append(std::string& out, std::span<const Row> rows, bool fields) override {
    bool first = true;
    for (const Row row : rows) {
      if (!first) out += ",\n";
      first = false;
      AppendEvent(out, row, fields);
    }
  }

 private:
  void AppendEvent(std::string& out, Row row, bool fields) const {
    out += R"({"time":")";
    out += trace::FormatTime(columns_.start_ns()[row]);
    out += R"(","data":{"trace.trace_id":")";
    AppendHex(out, columns_.traces()[columns_.trace()[row]]);
    out += R"(","trace.span_id":")";
    AppendHex(out, columns_.span_id()[row]);
    if (columns_.parent_id()[row] != 0) {
      out += R"(","trace.parent_id":")";
      AppendHex(out, columns_.parent_id()[row]);
    }
    out += R"(","name":)";
    AppendJsonString(out, columns_.text(columns_.name()[row]));
    out += R"(,"service.name":")";
    out += services_.Name(row);
    out += R"(","duration_ms":)";
    AppendDecimal(out, columns_.duration_ns()[row], 6);
    if (fields && !columns_.fields_of(row).empty()) {
      const size_t before = out.size();
      out += ',';
      if (!AppendFields(out, columns_, keys_, row)) out.resize(before);
    }
    out += "}}";
  }

  const traces::Columns& columns_;
  const Services services_;
  const FieldKeys keys_;
};

std::unique_ptr<SpanEncoder> NewHoneycombEncoder(const Selection& selection) {
  return std::make_unique<HoneycombEncoder>(selection);
}

// [{"status":202},{"status":400,"error":"…"},…], an entry an event.
Refusal ReadAnswer(std::string_view body, uint64_t /*spans*/) {
  simdjson::dom::parser parser;
  simdjson::dom::array events;
  const simdjson::padded_string padded(body);
  if (parser.parse(padded).get(events) != simdjson::SUCCESS) return {};
  Refusal refusal;
  for (const simdjson::dom::element event : events) {
    int64_t status = 0;
    if (event["status"].get(status) != simdjson::SUCCESS || (status >= 200 && status < 300)) {
      continue;
    }
    ++refusal.spans;
    std::string_view reason;
    if (!refusal.reason.empty()) continue;
    refusal.reason = event["error"].get(reason) == simdjson::SUCCESS
                         ? std::string(reason)
                         : "status " + std::to_string(status);
  }
  return refusal;
}

// Its documentation takes events of 100 kB and, whatever they unpack to, requests of 1 MB.
constexpr SpanList kHoneycombList = {.prefix = "[\n",
                                     .separator = ",\n",
                                     .suffix = "\n]\n",
                                     .new_encoder = NewHoneycombEncoder,
                                     .max_element_bytes = 100'000,
                                     .content_type = "application/json",
                                     .path = "/1/batch/llama",
                                     .max_request_spans = 1000,
                                     .max_request_bytes = 900'000,
                                     .read_answer = ReadAnswer};

}  // namespace

const SpanList& HoneycombList() { return kHoneycombList; }

}  // namespace llama::exports
