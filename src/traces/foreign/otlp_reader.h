// OTLP in JSON as spans: {"resourceSpans":[{"resource":…,"scopeSpans":[{"spans":[…]}]}]}, once or
// several times over (a line a request, as OpenTelemetry's collector writes files), or below
// "result", as Jaeger answers. Attributes become fields; of what a status says "error"; of the
// resource "service.name", unless it is llama's own. Events and links are left out.
#pragma once

#include <string_view>

#include "traces/foreign/span_sink.h"

namespace llama::traces {

void ReadOtlp(std::string_view document, SpanSink& out);

}  // namespace llama::traces
