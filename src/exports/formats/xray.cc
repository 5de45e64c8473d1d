// X-Ray's segment documents, one a line: what `aws xray put-trace-segments` takes. Every span is a
// document of its own, so that each keeps to the 64 kB that one may have: the roots and the spans
// of workers are segments, the others subsegments that name their parent.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "base/text/json.h"
#include "exports/formats/encoders.h"
#include "exports/io/json_writer.h"
#include "exports/spans/services.h"
#include "trace/names.h"

namespace llama::exports {
namespace {

constexpr size_t kMaxNameBytes = 200;

bool IsAllowed(char c) {
  const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return word || std::string_view("_.:/%&#=+-@ ").find(c) != std::string_view::npos;
}

// Letters of other scripts and backslashes are allowed, too, but not worth the telling apart.
std::string CleanName(std::string_view name) {
  std::string clean(name.substr(0, kMaxNameBytes));
  for (char& c : clean) {
    if (!IsAllowed(c)) c = '_';
  }
  return clean.empty() ? "_" : clean;
}

class XrayEncoder final : public SpanEncoder {
 public:
  explicit XrayEncoder(const Selection& selection)
      : columns_(selection.columns()),
        services_(columns_),
        keys_(columns_),
        error_(columns_.field(trace::field::kError)),
        build_id_(columns_.field(trace::field::kBuildId)),
        source_(columns_.field(trace::field::kSource)),
        reason_(columns_.field(trace::field::kReason)) {}

  void Append(std::string& out, std::span<const Row> rows, bool fields) override {
    for (const Row row : rows) AppendDocument(out, row, fields);
  }

 private:
  bool IsSegment(Row row) const {
    return columns_.parent()[row] == traces::kNoRow || services_.IsWorker(row);
  }

  void AppendDocument(std::string& out, Row row, bool fields) {
    out += R"({"trace_id":")";
    AppendTraceId(out, columns_.trace()[row]);
    out += R"(","id":")";
    AppendHex(out, columns_.span_id()[row]);
    if (columns_.parent_id()[row] != 0) {
      out += R"(","parent_id":")";
      AppendHex(out, columns_.parent_id()[row]);
    }
    const std::string_view name = columns_.text(columns_.name()[row]);
    out += R"(","name":")";
    out += IsSegment(row) ? std::string(services_.Name(row)) : CleanName(name);
    if (!IsSegment(row)) out += R"(","type":"subsegment)";
    if (name == trace::span::kInvoke) out += R"(","namespace":"remote)";
    out += R"(","start_time":)";
    AppendDecimal(out, std::max<int64_t>(0, columns_.start_ns()[row]), 9);
    out += R"(,"end_time":)";
    AppendDecimal(out, std::max<int64_t>(0, columns_.end_ns(row)), 9);
    const auto error = error_.At(row);
    if (error && error->kind != traces::Kind::kNull) out += R"(,"fault":true)";
    AppendAnnotations(out, row, name, fields);
    if (fields) {
      out += R"(,"metadata":{"default":{)";
      AppendFields(out, columns_, keys_, row);
      out += "}}";
    }
    out += "}\n";
  }

  // 1-<when the trace began>-<96 bits>: of our ids the last 96, so that the same trace always gets
  // the same id. What began long ago gets the time that X-Ray can write.
  void AppendTraceId(std::string& out, uint32_t trace) {
    if (trace != trace_) {
      trace_ = trace;
      int64_t start_ns = std::numeric_limits<int64_t>::max();
      for (const Row row : columns_.rows_of_trace(trace)) {
        start_ns = std::min(start_ns, columns_.start_ns()[row]);
      }
      trace_start_s_ =
          static_cast<uint64_t>(std::clamp<int64_t>(start_ns / 1'000'000'000, 0, UINT32_MAX));
    }
    out += "1-";
    AppendHex(out, trace_start_s_, 8);
    out += '-';
    const trace::TraceId id = columns_.traces()[trace];
    AppendHex(out, id.high & UINT32_MAX, 8);
    AppendHex(out, id.low);
  }

  // What can be searched for: 50 a trace are indexed, so only those of segments.
  void AppendAnnotations(std::string& out, Row row, std::string_view name, bool fields) const {
    if (!IsSegment(row)) return;
    out += R"(,"annotations":{"span":)";
    AppendJsonString(out, name.substr(0, 1000));
    if (fields) {
      AppendAnnotation(out, "build_id", build_id_, row);
      AppendAnnotation(out, "source", source_, row);
      AppendAnnotation(out, "reason", reason_, row);
    }
    out += '}';
  }

  void AppendAnnotation(std::string& out, std::string_view key, const traces::FieldColumn& column,
                        Row row) const {
    const auto text = column.StringAt(row);
    if (!text) return;
    out.append(",\"").append(key).append("\":");
    AppendJsonString(out, columns_.text(*text));
  }

  const traces::Columns& columns_;
  const Services services_;
  const FieldKeys keys_;
  const traces::FieldColumn& error_;
  const traces::FieldColumn& build_id_;
  const traces::FieldColumn& source_;
  const traces::FieldColumn& reason_;
  std::optional<uint32_t> trace_;
  uint64_t trace_start_s_ = 0;
};

std::unique_ptr<SpanEncoder> NewXrayEncoder(const Selection& selection) {
  return std::make_unique<XrayEncoder>(selection);
}

constexpr SpanList kXrayList = {.new_encoder = NewXrayEncoder, .max_element_bytes = 64'000};

}  // namespace

const SpanList& XrayList() { return kXrayList; }

}  // namespace llama::exports
