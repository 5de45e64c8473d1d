// What both of OTLP's encodings say of a span.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "exports/formats/span_list.h"
#include "exports/spans/selection.h"
#include "exports/spans/services.h"

namespace llama::exports {

// opentelemetry.proto.trace.v1.Span.SpanKind and Status.StatusCode.
enum OtlpKind : int { kOtlpInternal = 1, kOtlpServer = 2, kOtlpClient = 3 };
inline constexpr int kOtlpStatusError = 2;

struct OtlpLink {
  trace::TraceId trace_id;
  trace::SpanId span_id = 0;
};

class OtlpSpans {
 public:
  explicit OtlpSpans(const traces::Columns& columns);

  OtlpKind Kind(Row row) const;
  // What went wrong in it; none: nothing.
  std::optional<std::string_view> ErrorText(Row row) const;
  // To the build's span, from the root of a compile (docs/trace_format.md, "Trees").
  std::optional<OtlpLink> Link(Row row) const;
  // OTLP has no time before 1970.
  uint64_t StartNs(Row row) const {
    return static_cast<uint64_t>(std::max<int64_t>(0, columns_.start_ns()[row]));
  }
  uint64_t EndNs(Row row) const {
    return static_cast<uint64_t>(std::max<int64_t>(0, columns_.end_ns(row)));
  }

 private:
  const traces::Columns& columns_;
  Services services_;
  const traces::FieldColumn& error_;
  const traces::FieldColumn& link_trace_;
  const traces::FieldColumn& link_span_;
};

// Spans of one build and one service: they share a resource.
struct OtlpGroup {
  uint32_t build = 0;
  bool worker = false;
  std::vector<Row> rows;
};
std::vector<OtlpGroup> GroupByResource(const traces::Columns& columns, const Services& services,
                                       std::span<const Row> rows);

// {"partialSuccess":{"rejectedSpans":"3","errorMessage":"…"}}, and the same in protobuf.
Refusal ReadOtlpJsonAnswer(std::string_view body, uint64_t spans);
Refusal ReadOtlpAnswer(std::string_view body, uint64_t spans);

}  // namespace llama::exports
