#include "traces/foreign/foreign_span.h"

#include "base/text/json.h"
#include "trace/span.h"

namespace llama::traces {

std::string LineOf(const ForeignSpan& span) {
  JsonWriter json;
  json.BeginObject().Key("trace_id").String(span.trace_id).Key("span_id").String(span.span_id);
  json.Key("parent_id").String(span.parent_id).Key("name").String(span.name);
  json.Key("start").String(trace::FormatTime(span.start_ns)).Key("duration").Int(span.duration_ns);
  return json.Key("fields").Raw("{" + span.fields + "}").EndObject().Take();
}

void AppendMember(std::string& members, std::string_view key, std::string_view json) {
  if (!members.empty()) members += ',';
  AppendJsonString(members, key);
  members.append(":").append(json);
}

}  // namespace llama::traces
