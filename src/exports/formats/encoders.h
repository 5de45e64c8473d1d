// The formats that are lists of spans (exports/formats/span_list.h), a file each.
#pragma once

#include "exports/formats/span_list.h"

namespace llama::exports {

// OpenTelemetry's ExportTraceServiceRequest, in protobuf and in JSON:
// https://opentelemetry.io/docs/specs/otlp/
const SpanList& OtlpList();
const SpanList& OtlpJsonList();
// Zipkin's v2 spans: https://zipkin.io/zipkin-api/
const SpanList& ZipkinList();
// Honeycomb's batched events: https://docs.honeycomb.io/api/tag/Events/
const SpanList& HoneycombList();
// X-Ray's segment documents, a line each:
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
const SpanList& XrayList();

}  // namespace llama::exports
