// OTLP in protobuf. An element of the list is one or more ResourceSpans: the fields of a request
// may come in any number of pieces, so pieces one after the other are a request again.
#include <memory>

#include "exports/formats/encoders.h"
#include "exports/formats/otlp_span.h"
#include "exports/io/protobuf.h"

namespace llama::exports {
namespace {

// Field numbers of opentelemetry/proto/{collector/trace,trace,resource,common}/v1.
namespace request {
constexpr uint32_t kResourceSpans = 1;
}
namespace resource_spans {
constexpr uint32_t kResource = 1, kScopeSpans = 2;
}
namespace resource {
constexpr uint32_t kAttributes = 1;
}
namespace scope_spans {
constexpr uint32_t kScope = 1, kSpans = 2;
}
namespace scope {
constexpr uint32_t kName = 1;
}
namespace span {
constexpr uint32_t kTraceId = 1, kSpanId = 2, kParentId = 4, kName = 5, kKind = 6, kStart = 7,
                   kEnd = 8, kAttributes = 9, kLinks = 13, kStatus = 15;
}
namespace link {
constexpr uint32_t kTraceId = 1, kSpanId = 2;
}
namespace status {
constexpr uint32_t kMessage = 2, kCode = 3;
}
namespace key_value {
constexpr uint32_t kKey = 1, kValue = 2;
}
namespace any_value {
constexpr uint32_t kString = 1, kBool = 2, kInt = 3, kDouble = 4;
}

void AppendBigEndian(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

class OtlpEncoder final : public SpanEncoder {
 public:
  explicit OtlpEncoder(const Selection& selection)
      : columns_(selection.columns()), spans_(columns_), services_(columns_) {}

  void Append(std::string& out, std::span<const Row> rows, bool fields) override {
    ProtoWriter proto(out);
    for (const OtlpGroup& group : GroupByResource(columns_, services_, rows)) {
      proto.Message(request::kResourceSpans, [&] {
        proto.Message(resource_spans::kResource, [&] { AppendResource(proto, group); });
        proto.Message(resource_spans::kScopeSpans, [&] {
          proto.Message(scope_spans::kScope, [&] { proto.Bytes(scope::kName, kClientService); });
          for (const Row row : group.rows) {
            proto.Message(scope_spans::kSpans, [&] { AppendSpan(out, row, fields); });
          }
        });
      });
    }
  }

 private:
  template <typename Fill>
  static void Attribute(ProtoWriter& proto, uint32_t field, std::string_view key, Fill&& value) {
    proto.Message(field, [&] {
      proto.Bytes(key_value::kKey, key);
      proto.Message(key_value::kValue, value);
    });
  }

  void AppendResource(ProtoWriter& proto, const OtlpGroup& group) const {
    Attribute(proto, resource::kAttributes, "service.name", [&] {
      proto.Bytes(any_value::kString, group.worker ? kWorkerService : kClientService);
    });
    Attribute(proto, resource::kAttributes, "llama.build_id", [&] {
      proto.Bytes(any_value::kString, columns_.text(columns_.builds()[group.build].id));
    });
  }

  void Id(ProtoWriter& proto, uint32_t field, trace::TraceId id) {
    id_.clear();
    AppendBigEndian(id_, id.high);
    AppendBigEndian(id_, id.low);
    proto.Bytes(field, id_);
  }
  void Id(ProtoWriter& proto, uint32_t field, trace::SpanId id) {
    id_.clear();
    AppendBigEndian(id_, id);
    proto.Bytes(field, id_);
  }

  void AppendSpan(std::string& out, Row row, bool fields) {
    ProtoWriter proto(out);
    Id(proto, span::kTraceId, columns_.traces()[columns_.trace()[row]]);
    Id(proto, span::kSpanId, columns_.span_id()[row]);
    if (columns_.parent_id()[row] != 0) Id(proto, span::kParentId, columns_.parent_id()[row]);
    proto.Bytes(span::kName, columns_.text(columns_.name()[row]));
    proto.Varint(span::kKind, static_cast<uint64_t>(spans_.Kind(row)));
    proto.Fixed64(span::kStart, spans_.StartNs(row));
    proto.Fixed64(span::kEnd, spans_.EndNs(row));
    if (fields) AppendAttributes(proto, row);
    if (const auto link = spans_.Link(row)) {
      proto.Message(span::kLinks, [&] {
        Id(proto, link::kTraceId, link->trace_id);
        Id(proto, link::kSpanId, link->span_id);
      });
    }
    if (const auto error = spans_.ErrorText(row)) {
      proto.Message(span::kStatus, [&] {
        if (!error->empty()) proto.Bytes(status::kMessage, *error);
        proto.Varint(status::kCode, kOtlpStatusError);
      });
    }
  }

  void AppendAttributes(ProtoWriter& proto, Row row) const {
    for (const traces::FieldId id : columns_.fields_of(row)) {
      const auto value = columns_.field(id).At(row);
      if (!value) continue;
      Attribute(proto, span::kAttributes, columns_.field_name(id),
                [&] { AppendAnyValue(proto, *value); });
    }
  }

  // Null is a value that is none.
  void AppendAnyValue(ProtoWriter& proto, traces::Value value) const {
    switch (value.kind) {
      case traces::Kind::kNull:
        return;
      case traces::Kind::kBool:
        return proto.Bool(any_value::kBool, value.as_bool());
      case traces::Kind::kInt:
        return proto.Int(any_value::kInt, value.as_int());
      case traces::Kind::kDouble:
        return proto.Double(any_value::kDouble, value.as_double());
      case traces::Kind::kString:
      case traces::Kind::kJson:
        return proto.Bytes(any_value::kString, columns_.text(value.as_string()));
    }
  }

  const traces::Columns& columns_;
  const OtlpSpans spans_;
  const Services services_;
  std::string id_;
};

std::unique_ptr<SpanEncoder> NewOtlpEncoder(const Selection& selection) {
  return std::make_unique<OtlpEncoder>(selection);
}

constexpr SpanList kOtlpList = {.new_encoder = NewOtlpEncoder,
                                .element_spans = 256,
                                .content_type = "application/x-protobuf",
                                .path = "/v1/traces",
                                .max_request_spans = 2048,
                                .max_request_bytes = 2 << 20,
                                .read_answer = ReadOtlpAnswer};

}  // namespace

const SpanList& OtlpList() { return kOtlpList; }

}  // namespace llama::exports
