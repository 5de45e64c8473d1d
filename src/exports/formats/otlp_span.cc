#include "exports/formats/otlp_span.h"

#include <simdjson.h>

#include <charconv>

#include "trace/names.h"

namespace llama::exports {
namespace {

bool ReadHex(std::string_view digits, uint64_t& value) {
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size();
}

// One field of a protobuf message, of the kinds that an answer has.
struct ProtoField {
  uint64_t number = 0;
  uint64_t value = 0;      // of a varint
  std::string_view bytes;  // of what has a length
};

bool ReadVarint(std::string_view& in, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// False at the end, and for anything that is not understood: what a receiver says in it is lost.
bool ReadProtoField(std::string_view& in, ProtoField& field) {
  uint64_t tag = 0;
  if (!ReadVarint(in, tag)) return false;
  field = {tag >> 3, 0, {}};
  if ((tag & 7) == 0) return ReadVarint(in, field.value);
  uint64_t length = 0;
  if ((tag & 7) != 2 || !ReadVarint(in, length) || length > in.size()) return false;
  field.bytes = in.substr(0, length);
  in.remove_prefix(length);
  return true;
}

}  // namespace

OtlpSpans::OtlpSpans(const traces::Columns& columns)
    : columns_(columns),
      services_(columns),
      error_(columns.field(trace::field::kError)),
      link_trace_(columns.field(trace::field::kLinkTraceId)),
      link_span_(columns.field(trace::field::kLinkSpanId)) {}

OtlpKind OtlpSpans::Kind(Row row) const {
  if (services_.IsWorker(row)) return kOtlpServer;
  return columns_.text(columns_.name()[row]) == trace::span::kInvoke ? kOtlpClient : kOtlpInternal;
}

std::optional<std::string_view> OtlpSpans::ErrorText(Row row) const {
  const auto value = error_.At(row);
  if (!value || value->kind == traces::Kind::kNull) return std::nullopt;
  if (value->kind == traces::Kind::kString) return columns_.text(value->as_string());
  if (value->kind == traces::Kind::kBool && !value->as_bool()) return std::nullopt;
  return std::string_view();
}

std::optional<OtlpLink> OtlpSpans::Link(Row row) const {
  const auto trace_id = link_trace_.StringAt(row);
  const auto span_id = link_span_.StringAt(row);
  if (!trace_id || !span_id) return std::nullopt;
  const std::string_view hex = columns_.text(*trace_id);
  OtlpLink link;
  if (hex.size() != 32 || columns_.text(*span_id).size() != 16) return std::nullopt;
  if (!ReadHex(hex.substr(0, 16), link.trace_id.high)) return std::nullopt;
  if (!ReadHex(hex.substr(16), link.trace_id.low)) return std::nullopt;
  if (!ReadHex(columns_.text(*span_id), link.span_id)) return std::nullopt;
  if (!link.trace_id.valid() || link.span_id == 0) return std::nullopt;
  return link;
}

std::vector<OtlpGroup> GroupByResource(const traces::Columns& columns, const Services& services,
                                       std::span<const Row> rows) {
  std::vector<OtlpGroup> groups;
  for (const Row row : rows) {
    const uint32_t build = columns.build()[row];
    const bool worker = services.InWorker(row);
    const auto fits = [&](const OtlpGroup& group) {
      return group.build == build && group.worker == worker;
    };
    auto group = std::find_if(groups.begin(), groups.end(), fits);
    if (group == groups.end()) group = groups.insert(groups.end(), {build, worker, {}});
    group->rows.push_back(row);
  }
  return groups;
}

Refusal ReadOtlpJsonAnswer(std::string_view body, uint64_t spans) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(body);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return {};
  simdjson::dom::element partial;
  if (root["partialSuccess"].get(partial) != simdjson::SUCCESS) return {};
  Refusal refusal;
  std::string_view text;
  if (partial["errorMessage"].get(text) == simdjson::SUCCESS) refusal.reason = text;
  // 64-bit numbers are strings in protobuf's JSON, but a number is accepted, too.
  if (partial["rejectedSpans"].get(text) == simdjson::SUCCESS) {
    std::from_chars(text.data(), text.data() + text.size(), refusal.spans);
  } else {
    uint64_t number = 0;
    if (partial["rejectedSpans"].get(number) == simdjson::SUCCESS) refusal.spans = number;
  }
  refusal.spans = std::min(refusal.spans, spans);
  return refusal;
}

Refusal ReadOtlpAnswer(std::string_view body, uint64_t spans) {
  Refusal refusal;
  ProtoField field;
  while (ReadProtoField(body, field)) {
    if (field.number != 1) continue;  // ExportTraceServiceResponse.partial_success
    std::string_view partial = field.bytes;
    while (ReadProtoField(partial, field)) {
      if (field.number == 1) refusal.spans = std::min(field.value, spans);
      if (field.number == 2) refusal.reason = field.bytes;
    }
  }
  return refusal;
}

}  // namespace llama::exports
