// The summary for programs.
#include "analysis/resources/summary.h"
#include "base/text/json.h"
#include "trace/span.h"

namespace llama::analysis {
namespace {

void WriteUint(JsonWriter& json, std::string_view key, uint64_t value) {
  json.Key(key).Int(static_cast<int64_t>(value));
}

void WriteFailure(const Summary& s, JsonWriter& json) {
  json.Key("failure");
  if (!s.failure) {
    json.Null();
    return;
  }
  const auto text = [&](std::string_view key, const std::string& value) {
    json.Key(key);
    value.empty() ? json.Null() : json.String(value);
  };
  json.BeginObject();
  text("place", s.failure->place);
  text("message", s.failure->message);
  text("target", s.failure->target);
  text("source", s.failure->unit);
  text("excerpt", s.failure->excerpt);
  json.Key("steps_left");
  s.failure->steps_left ? json.Int(*s.failure->steps_left) : json.Null();
  json.EndObject();
}

void WriteBuild(const Summary& s, JsonWriter& json) {
  json.Key("build_id").String(s.build_id);
  json.Key("name").String(s.name);
  json.Key("command").String(s.command);
  json.Key("status");
  s.status ? json.Int(*s.status) : json.Null();
  json.Key("finished").Bool(s.finished);
  json.Key("interrupted").Bool(s.interrupted);
  json.Key("up_to_date").Bool(s.up_to_date);
  json.Key("unseen_compiler");
  s.unseen_compiler.empty() ? json.Null() : json.String(s.unseen_compiler);
  WriteFailure(s, json);
  json.Key("start").String(trace::FormatTime(s.start_ns));
  json.Key("wall_ns").Int(s.wall_ns);
  WriteUint(json, "other_builds", s.other_builds);
}

void WriteCounts(JsonWriter& json, std::string_view key, const std::vector<ReasonCount>& counts) {
  json.Key(key).BeginObject();
  for (const ReasonCount& count : counts) WriteUint(json, count.reason, count.count);
  json.EndObject();
}

void WriteTimes(JsonWriter& json, std::string_view key, const std::vector<ReasonCount>& counts) {
  json.Key(key).BeginObject();
  for (const ReasonCount& count : counts) json.Key(count.reason).Int(count.sum_ns);
  json.EndObject();
}

void WritePhases(const Summary& s, JsonWriter& json) {
  json.Key("phases").BeginArray();
  for (const PhaseStats& phase : s.phases) {
    json.BeginObject();
    json.Key("name").String(phase.name);
    WriteUint(json, "count", phase.count);
    json.Key("sum_ns").Int(phase.sum_ns);
    json.Key("share").Double(phase.share);
    json.Key("self_ns").Int(phase.self_ns);
    json.Key("p50_ns").Int(phase.p50_ns);
    json.Key("p95_ns").Int(phase.p95_ns);
    json.Key("p99_ns").Int(phase.p99_ns);
    json.Key("max_ns").Int(phase.max_ns);
    json.EndObject();
  }
  json.EndArray();
}

void WriteSlowest(const Summary& s, JsonWriter& json) {
  json.Key("slowest").BeginArray();
  for (const SlowCompile& slow : s.slowest) {
    json.BeginObject();
    json.Key("trace_id").String(slow.trace_id);
    json.Key("source").String(slow.source);
    json.Key("remote").Bool(slow.remote);
    json.Key("duration_ns").Int(slow.duration_ns);
    json.Key("longest_phase").String(slow.longest_phase);
    json.Key("longest_phase_ns").Int(slow.longest_phase_ns);
    json.EndObject();
  }
  json.EndArray();
}

void WriteRemote(const Summary& s, JsonWriter& json) {
  WriteUint(json, "invocations", s.invocations);
  WriteUint(json, "cold_starts", s.cold_starts);
  json.Key("init_ns").Int(s.init_ns);
  WriteUint(json, "failed_invocations", s.failed_invocations);
  WriteUint(json, "retries", s.retries);
  WriteUint(json, "max_in_flight", s.max_in_flight);
  json.Key("mean_in_flight").Double(s.mean_in_flight);
  json.Key("bytes_up").Int(s.bytes_up);
  json.Key("bytes_down").Int(s.bytes_down);
  json.Key("store_puts").Int(s.store_puts);
  json.Key("store_gets").Int(s.store_gets);
  json.Key("cost").BeginObject();
  json.Key("gb_seconds").Double(s.cost.gb_seconds);
  json.Key("compute_usd").Double(s.cost.compute_usd);
  json.Key("invocations_usd").Double(s.cost.invocations_usd);
  json.Key("store_usd").Double(s.cost.store_usd);
  json.Key("total_usd").Double(s.cost.total_usd());
  json.EndObject();
}

void WriteAudit(const Summary& summary, JsonWriter& json) {
  WriteUint(json, "audited", summary.audited);
  WriteUint(json, "audit_differed", summary.audit_differed);
  json.Key("audit_differences").BeginArray();
  for (const std::string& difference : summary.audit_differences) json.String(difference);
  json.EndArray();
}

}  // namespace

void AddJson(const Summary& summary, JsonWriter& json) {
  WriteBuild(summary, json);
  WriteUint(json, "compiles", summary.compiles);
  WriteUint(json, "remote", summary.remote);
  WriteUint(json, "local", summary.local);
  WriteUint(json, "cancelled", summary.cancelled);
  WriteUint(json, "failed", summary.failed);
  WriteUint(json, "commands", summary.commands);
  WriteCounts(json, "local_reasons", summary.reasons);
  WriteTimes(json, "local_reasons_ns", summary.reasons);
  WriteCounts(json, "rungs", summary.rungs);
  WriteUint(json, "corrections", summary.corrections);
  WriteAudit(summary, json);
  WriteRemote(summary, json);
  WritePhases(summary, json);
  WriteSlowest(summary, json);
  WriteUint(json, "spans", summary.spans);
  WriteUint(json, "malformed_lines", summary.malformed_lines);
  json.Key("truncated").Bool(summary.truncated);
}

}  // namespace llama::analysis
