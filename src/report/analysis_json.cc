#include "report/analysis_json.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <vector>

#include "base/text/json.h"
#include "trace/span.h"

namespace llama::report {
namespace {

// Of the path and of the weights; all of either may be as many as there are units.
constexpr size_t kMaxListed = 1000;

std::string TraceIdOf(const traces::Columns& trace, traces::Row row) {
  return trace::Hex(trace.traces()[trace.trace()[row]]);
}

void WriteUnit(JsonWriter& json, const traces::Columns& trace, const analysis::Unit& unit) {
  json.Key("trace_id").String(TraceIdOf(trace, unit.row));
  json.Key("unit").String(analysis::UnitLabel(trace, unit.row));
  json.Key("remote").Bool(unit.remote);
}

void WriteFindings(JsonWriter& json, const std::vector<analysis::Finding>& findings) {
  json.Key("findings").BeginArray();
  for (const analysis::Finding& finding : findings) {
    json.BeginObject();
    json.Key("kind").String(finding.kind);
    json.Key("cost_ns").Int(finding.cost_ns);
    json.Key("share").Double(finding.share);
    json.Key("gain_ns").Int(finding.gain_ns);
    json.Key("estimated").Bool(finding.is_estimate);
    json.Key("text").String(finding.text);
    json.Key("advice").String(finding.advice);
    if (!finding.subject.empty()) json.Key("subject").String(finding.subject);
    json.Key("evidence").BeginObject();
    for (const auto& [name, value] : finding.evidence) json.Key(name).Double(value);
    json.EndObject();
    json.EndObject();
  }
  json.EndArray();
}

void WriteBounds(JsonWriter& json, const analysis::Analysis& analysis) {
  json.Key("bounds").BeginObject();
  json.Key("totals_ns").BeginObject();
  for (size_t i = 0; i < analysis::kBounds; ++i) {
    json.Key(analysis::BoundName(static_cast<analysis::Bound>(i))).Int(analysis.bounds.total_ns[i]);
  }
  json.EndObject();
  json.Key("intervals").BeginArray();
  for (const analysis::BoundInterval& interval : analysis.bounds.intervals) {
    json.BeginObject();
    json.Key("bound").String(analysis::BoundName(interval.bound));
    json.Key("start_ns").Int(interval.begin_ns - analysis.units.start_ns);
    json.Key("duration_ns").Int(interval.end_ns - interval.begin_ns);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

void WritePath(JsonWriter& json, const traces::Columns& trace, const analysis::Analysis& analysis) {
  const analysis::CriticalPath& path = analysis.path;
  json.Key("critical_path").BeginObject();
  json.Key("estimated").Bool(!path.from_graph);
  json.Key("before_ns").Int(path.before_ns);
  json.Key("units_ns").Int(path.units_ns);
  json.Key("gaps_ns").Int(path.gaps_ns);
  json.Key("after_ns").Int(path.after_ns);
  json.Key("few").Int(path.few);
  json.Key("length").Int(static_cast<int64_t>(path.links.size()));
  json.Key("links").BeginArray();
  // Of a long path the end: that is what the build waited for last.
  const size_t left_out = path.links.size() - std::min(path.links.size(), kMaxListed);
  for (size_t i = left_out; i < path.links.size(); ++i) {
    const analysis::PathLink& link = path.links[i];
    json.BeginObject();
    WriteUnit(json, trace, analysis.units.all[link.unit]);
    json.Key("kind").String(analysis::LinkKindName(link.kind));
    json.Key("gap_ns").Int(link.gap_ns);
    json.Key("time_ns").Int(link.time_ns);
    json.Key("low_ns").Int(link.low_ns);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

void WriteParallelism(JsonWriter& json, const analysis::Analysis& analysis) {
  const analysis::Parallelism& parallelism = analysis.parallelism;
  json.Key("parallelism").BeginObject();
  json.Key("peak").Int(parallelism.peak);
  json.Key("mean").Double(parallelism.mean);
  json.Key("busy_ns").Int(parallelism.busy_ns);
  json.Key("idle_ns").Int(parallelism.idle_ns);
  json.Key("quarters_ns").BeginArray();
  for (const int64_t ns : parallelism.quarter_ns) json.Int(ns);
  json.EndArray();
  json.Key("cells").BeginArray();
  for (const analysis::ParallelismCell& cell : parallelism.cells) {
    json.BeginObject();
    json.Key("start_ns").Int(cell.begin_ns - analysis.units.start_ns);
    json.Key("duration_ns").Int(cell.end_ns - cell.begin_ns);
    json.Key("units").Double(cell.units);
    json.Key("remote").Double(cell.remote);
    json.Key("local").Double(cell.local);
    json.Key("waiting").Double(cell.waiting);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

void WriteWeighted(JsonWriter& json, const traces::Columns& trace,
                   const analysis::Analysis& analysis) {
  std::vector<size_t> order(analysis.weighted_ns.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t count = std::min(order.size(), kMaxListed);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](size_t a, size_t b) {
                      const int64_t x = analysis.weighted_ns[a];
                      const int64_t y = analysis.weighted_ns[b];
                      return x != y ? x > y : a < b;
                    });
  json.Key("weighted").BeginArray();
  for (size_t i = 0; i < count; ++i) {
    const analysis::Unit& unit = analysis.units.all[order[i]];
    json.BeginObject();
    WriteUnit(json, trace, unit);
    json.Key("weighted_ns").Int(analysis.weighted_ns[order[i]]);
    json.Key("duration_ns").Int(unit.duration_ns());
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

void WriteAnalysis(JsonWriter& json, const traces::Columns& trace,
                   const analysis::Analysis& analysis) {
  WriteFindings(json, analysis.findings);
  WriteBounds(json, analysis);
  WritePath(json, trace, analysis);
  WriteParallelism(json, analysis);
  WriteWeighted(json, trace, analysis);
  json.Key("job_slots");
  if (analysis.slots.count == analysis::kUnlimitedJobs) {
    json.Null();
  } else {
    json.Int(analysis.slots.count);
  }
  json.Key("job_slots_known").Bool(analysis.slots.known);
}

}  // namespace llama::report
