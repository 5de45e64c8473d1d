// Zipkin's v2 spans in JSON. Times are whole microseconds, tags are strings.
#include <algorithm>
#include <memory>

#include "base/text/json.h"
#include "exports/formats/encoders.h"
#include "exports/io/json_writer.h"
#include "exports/spans/services.h"
#include "trace/names.h"

namespace llama::exports {
namespace {

class ZipkinEncoder final : public SpanEncoder {
 public:
  explicit ZipkinEncoder(const Selection& selection)
      : columns_(selection.columns()), services_(columns_), keys_(columns_) {}

  void Append(std::string& out, std::span<const Row> rows, bool fields) override {
    bool first = true;
    for (const Row row : rows) {
      if (!first) out += ",\n";
      first = false;
      AppendSpan(out, row, fields);
    }
  }

 private:
  void AppendSpan(std::string& out, Row row, bool fields) {
    out += R"({"traceId":")";
    AppendHex(out, columns_.traces()[columns_.trace()[row]]);
    out += R"(","id":")";
    AppendHex(out, columns_.span_id()[row]);
    if (columns_.parent_id()[row] != 0) {
      out += R"(","parentId":")";
      AppendHex(out, columns_.parent_id()[row]);
    }
    out += R"(","name":)";
    AppendJsonString(out, columns_.text(columns_.name()[row]));
    if (services_.IsWorker(row)) out += R"(,"kind":"SERVER")";
    if (columns_.text(columns_.name()[row]) == trace::span::kInvoke) out += R"(,"kind":"CLIENT")";
    // Both ends are rounded the same way, so that what nested still does. Zipkin's least is 1.
    const int64_t start_us = std::max<int64_t>(1, columns_.start_ns()[row] / 1000);
    const int64_t end_us = std::max<int64_t>(1, columns_.end_ns(row) / 1000);
    out += R"(,"timestamp":)";
    AppendInt(out, start_us);
    out += R"(,"duration":)";
    AppendInt(out, std::max<int64_t>(1, end_us - start_us));
    out += R"(,"localEndpoint":{"serviceName":")";
    out += services_.Name(row);
    out += R"("})";
    if (fields) AppendTags(out, row);
    out += '}';
  }

  void AppendTags(std::string& out, Row row) {
    bool first = true;
    for (const traces::FieldId id : columns_.fields_of(row)) {
      const auto value = columns_.field(id).At(row);
      if (!value) continue;
      out += first ? R"(,"tags":{)" : ",";
      first = false;
      out += keys_[id];
      if (value->kind == traces::Kind::kString) {
        AppendValue(out, columns_, *value);
        continue;
      }
      text_.clear();
      AppendValue(text_, columns_, *value);
      AppendJsonString(out, text_);
    }
    if (!first) out += '}';
  }

  const traces::Columns& columns_;
  const Services services_;
  const FieldKeys keys_;
  std::string text_;
};

std::unique_ptr<SpanEncoder> NewZipkinEncoder(const Selection& selection) {
  return std::make_unique<ZipkinEncoder>(selection);
}

constexpr SpanList kZipkinList = {.prefix = "[\n",
                                  .separator = ",\n",
                                  .suffix = "\n]\n",
                                  .new_encoder = NewZipkinEncoder,
                                  .content_type = "application/json",
                                  .path = "/api/v2/spans",
                                  .max_request_spans = 2048,
                                  .max_request_bytes = 2 << 20};

}  // namespace

const SpanList& ZipkinList() { return kZipkinList; }

}  // namespace llama::exports
