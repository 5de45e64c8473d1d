#include "analysis/units/units.h"

#include <algorithm>

#include "analysis/units/remote_runs.h"
#include "trace/names.h"

namespace llama::analysis {
namespace {

bool IsOf(const traces::Columns& trace, std::optional<uint32_t> build, traces::Row row) {
  return !build || trace.build()[row] == *build;
}

// The longest window is what 63 bits count: a hostile trace may span more.
int64_t EndWithin(int64_t start_ns, int64_t end_ns) {
  int64_t wall_ns = 0;
  return __builtin_sub_overflow(end_ns, start_ns, &wall_ns) ? start_ns + INT64_MAX : end_ns;
}

void FindWindow(const traces::Columns& trace, std::optional<uint32_t> build, Units& out) {
  for (const traces::Row row : trace.rows_named(trace::span::kBuild)) {
    if (IsOf(trace, build, row)) out.build_row = row;  // the last, if there are several
  }
  if (out.build_row) {
    out.start_ns = trace.start_ns()[*out.build_row];
    out.end_ns = trace.end_ns(*out.build_row);
    return;
  }
  bool any = false;
  for (traces::Row row = 0; row < trace.size(); ++row) {
    if (!IsOf(trace, build, row)) continue;
    out.start_ns = any ? std::min(out.start_ns, trace.start_ns()[row]) : trace.start_ns()[row];
    out.end_ns = any ? std::max(out.end_ns, trace.end_ns(row)) : trace.end_ns(row);
    any = true;
  }
  out.end_ns = EndWithin(out.start_ns, out.end_ns);
}

void AddUnits(const traces::Columns& trace, std::optional<uint32_t> build, std::string_view name,
              const RemoteRuns& remote, Units& out) {
  const traces::FieldColumn& folder = trace.field(trace::field::kCwd);
  for (const traces::Row row : trace.rows_named(name)) {
    if (!IsOf(trace, build, row)) continue;
    const int64_t start_ns = trace.start_ns()[row];
    const int64_t end_ns = trace.end_ns(row);
    if (end_ns < out.start_ns || start_ns > out.end_ns) continue;
    out.all.push_back({std::max(start_ns, out.start_ns), std::min(end_ns, out.end_ns), row,
                       remote.At(row), folder.StringAt(row)});
  }
}

void CountSteps(Units& out) {
  if (out.end_ns <= out.start_ns) return;
  std::vector<int64_t> ends;
  ends.reserve(out.all.size());
  for (const Unit& unit : out.all) ends.push_back(unit.end_ns);
  std::sort(ends.begin(), ends.end());
  out.steps.reserve(out.all.size() * 2 + 2);
  size_t begun = 0;
  size_t ended = 0;
  int64_t now_ns = out.start_ns;
  while (now_ns < out.end_ns) {
    while (ended < ends.size() && ends[ended] <= now_ns) ++ended;
    while (begun < out.all.size() && out.all[begun].start_ns <= now_ns) ++begun;
    // A unit without duration has ended as it begins: it is in both counts.
    const auto running = static_cast<uint32_t>(begun - ended);
    int64_t next_ns = out.end_ns;
    if (ended < ends.size()) next_ns = std::min(next_ns, ends[ended]);
    if (begun < out.all.size()) next_ns = std::min(next_ns, out.all[begun].start_ns);
    if (out.steps.empty() || out.steps.back().running != running) {
      out.steps.push_back({now_ns, running});
    }
    if (running == 0) out.idle_ns += next_ns - now_ns;
    out.peak = std::max(out.peak, running);
    now_ns = next_ns;
  }
  out.steps.push_back({out.end_ns, 0});
}

}  // namespace

uint32_t Units::RunningBefore(int64_t time_ns) const {
  const auto at =
      std::lower_bound(steps.begin(), steps.end(), time_ns,
                       [](const RunningStep& step, int64_t time) { return step.time_ns < time; });
  return at == steps.begin() ? 0 : std::prev(at)->running;
}

Units FindUnits(const traces::Columns& trace, std::optional<uint32_t> build) {
  Units out;
  out.build = build;
  if (trace.empty()) return out;
  FindWindow(trace, build, out);
  const RemoteRuns remote(trace);
  AddUnits(trace, build, trace::span::kLlamacc, remote, out);
  AddUnits(trace, build, trace::span::kCommand, remote, out);
  std::sort(out.all.begin(), out.all.end(), [](const Unit& a, const Unit& b) {
    return a.start_ns != b.start_ns ? a.start_ns < b.start_ns : a.row < b.row;
  });
  CountSteps(out);
  return out;
}

std::string UnitLabel(const traces::Columns& trace, traces::Row row) {
  const auto text_of = [&](std::string_view field) {
    const auto text = trace.field(field).StringAt(row);
    return text ? trace.text(*text) : std::string_view();
  };
  // A link is known by what it makes; which of its inputs came last says nothing.
  if (text_of(trace::field::kReason) == "link" && !text_of(trace::field::kObject).empty()) {
    return std::string(text_of(trace::field::kObject));
  }
  for (const std::string_view field : {trace::field::kSource, trace::field::kObject,
                                       trace::field::kCommand, trace::field::kReason}) {
    if (const std::string_view text = text_of(field); !text.empty()) return std::string(text);
  }
  return std::string(trace.text(trace.name()[row]));
}

}  // namespace llama::analysis
