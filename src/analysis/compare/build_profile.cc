#include "analysis/compare/build_profile.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "analysis/findings/findings.h"
#include "analysis/resources/machine_samples.h"
#include "analysis/resources/summary.h"
#include "analysis/units/compile_flags.h"
#include "analysis/units/phase_table.h"
#include "analysis/units/remote_runs.h"
#include "analysis/units/unit_names.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

// A hostile trace may have a million names of spans.
constexpr size_t kMaxOthers = 64;
constexpr size_t kMaxListed = 8;  // of distinct compilers, memory sizes and the like

bool IsWork(std::string_view name) {
  return name != trace::span::kBuild && name != trace::span::kMachine;
}

int64_t SumOf(const traces::Columns& trace, std::string_view span, std::string_view field) {
  const traces::FieldColumn& column = trace.field(field);
  int64_t sum = 0;
  for (const traces::Row row : trace.rows_named(span))
    sum = traces::AddUp(sum, traces::CountAt(column, row).value_or(0));
  return sum;
}

std::optional<int64_t> HostCpu(const traces::Columns& trace) {
  const MachineSamples machine(trace);
  const auto user = machine.Sum(trace::field::kCpuUserNs);
  const auto system = machine.Sum(trace::field::kCpuSystemNs);
  if (!user || !system) return std::nullopt;
  return traces::AddUp(*user, *system);
}

std::optional<int64_t> ClientCpu(const traces::Columns& trace) {
  const MachineSamples machine(trace);
  const auto user = machine.Sum(trace::field::kDaemonUserNs);
  const auto system = machine.Sum(trace::field::kDaemonSystemNs);
  if (!user || !system) return std::nullopt;
  int64_t sum = traces::AddUp(*user, *system);
  for (const std::string_view root : {trace::span::kLlamacc, trace::span::kCommand}) {
    sum = traces::AddUp(sum, traces::AddUp(SumOf(trace, root, trace::field::kLocalUserNs),
                                           SumOf(trace, root, trace::field::kLocalSystemNs)));
  }
  return sum;
}

std::vector<Figure> FiguresOf(const traces::Columns& trace, const Summary& s, int64_t units_ns) {
  const auto count = [](uint64_t value) { return static_cast<int64_t>(value); };
  const int64_t remote_cpu =
      traces::AddUp(SumOf(trace, trace::span::kInvoke, trace::field::kUserNs),
                    SumOf(trace, trace::span::kInvoke, trace::field::kSystemNs));
  return {
      {"wall_ns", "wall time", FigureUnit::kNs, s.wall_ns},
      {"host_cpu_ns", "CPU of the build host", FigureUnit::kNs, HostCpu(trace)},
      {"client_cpu_ns", "of it llama's own", FigureUnit::kNs, ClientCpu(trace)},
      {"worker_cpu_ns", "CPU of the workers", FigureUnit::kNs, remote_cpu},
      {"units_ns", "time of all units", FigureUnit::kNs, units_ns},
      {"compiles", "compiles", FigureUnit::kCount, count(s.compiles)},
      {"remote", "of them remote", FigureUnit::kCount, count(s.remote)},
      {"local", "of them local", FigureUnit::kCount, count(s.local)},
      {"failed", "with errors", FigureUnit::kCount, count(s.failed)},
      {"commands", "commands", FigureUnit::kCount, count(s.commands)},
      {"max_in_flight", "most in flight", FigureUnit::kCount, count(s.max_in_flight)},
      {"invocations", "invocations", FigureUnit::kCount, count(s.invocations)},
      {"retries", "retries", FigureUnit::kCount, count(s.retries)},
      {"failed_invocations", "failed invocations", FigureUnit::kCount, count(s.failed_invocations)},
      {"cold_starts", "cold starts", FigureUnit::kCount, count(s.cold_starts)},
      {"init_ns", "time of cold starts", FigureUnit::kNs, s.init_ns},
      {"bytes_up", "bytes up", FigureUnit::kBytes, s.bytes_up},
      {"bytes_down", "bytes down", FigureUnit::kBytes, s.bytes_down},
      {"store_puts", "uploads", FigureUnit::kCount, s.store_puts},
      {"store_gets", "downloads", FigureUnit::kCount, s.store_gets},
      {"cost_micro_usd", "price on AWS", FigureUnit::kUsd,
       int64_t{std::llround(std::min(s.cost.total_usd(), 9e12) * 1e6)}},
  };
}

// Self time by path. Paths that differ only in their place in the table are one by their text.
std::vector<PhaseTime> PhasesOf(const traces::Columns& trace) {
  std::vector<int64_t> sums(trace.paths().size(), 0);
  std::vector<bool> used(sums.size(), false);
  for (traces::Row row = 0; row < trace.size(); ++row) {
    sums[trace.path()[row]] = traces::AddUp(sums[trace.path()[row]], trace.self_ns()[row]);
    used[trace.path()[row]] = true;
  }
  std::map<std::string, int64_t> by_text;
  for (uint32_t path = 0; path < sums.size(); ++path) {
    if (!used[path] || !IsWork(trace.text(trace.paths()[path].name))) continue;
    std::string text = trace.PathText(path);
    // A compile whose trace hangs below the build's is the same as one with a trace of its own.
    if (text.starts_with("build>")) text.erase(0, 6);
    int64_t& sum = by_text[text];
    sum = traces::AddUp(sum, sums[path]);
  }
  std::vector<PhaseTime> out;
  for (auto& [path, self_ns] : by_text) out.push_back({path, self_ns});
  return out;
}

std::vector<PhaseDurations> DurationsOf(const traces::Columns& trace,
                                        const std::vector<UnitProfile>& units) {
  std::vector<PhaseDurations> out(1);
  out[0].name = "unit";
  for (const UnitProfile& unit : units) out[0].ns.push_back(unit.duration_ns);
  size_t others = 0;
  for (const traces::StringId name : trace.span_names()) {
    const std::string_view text = trace.text(name);
    const PhasePlace place = PlaceOfPhase(text);
    if (!IsWork(text) || place.depth == 0) continue;
    if (place.order == PhasePlace().order && ++others > kMaxOthers) continue;
    PhaseDurations& phase = out.emplace_back();
    phase.name = text;
    for (const traces::Row row : trace.rows_named(name))
      phase.ns.push_back(trace.duration_ns()[row]);
  }
  return out;
}

class UnitLister {
 public:
  UnitLister(const traces::Columns& trace, const std::string& cwd)
      : trace_(trace), paths_(trace, cwd) {}

  std::vector<UnitProfile> List() {
    std::vector<traces::Row> rows;
    for (const std::string_view root : {trace::span::kLlamacc, trace::span::kCommand}) {
      const auto named = trace_.rows_named(root);
      rows.insert(rows.end(), named.begin(), named.end());
    }
    std::sort(rows.begin(), rows.end(), [&](traces::Row a, traces::Row b) {
      return std::pair(trace_.start_ns()[a], a) < std::pair(trace_.start_ns()[b], b);
    });
    FindMostly(rows);
    std::vector<UnitProfile> units(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      UnitProfile& unit = units[i];
      unit.name = NameOf(rows[i]);
      unit.duration_ns = trace_.duration_ns()[rows[i]];
      unit.remote = remote_.At(rows[i]);
      unit.mostly = mostly_[i];
    }
    std::unordered_map<std::string_view, uint32_t> seen;
    seen.reserve(units.size());
    for (UnitProfile& unit : units) unit.ordinal = seen[unit.name]++;
    return units;
  }

 private:
  std::string NameOf(traces::Row row) const {
    const auto path = [&](const traces::FieldColumn& column) {
      return paths_.Relative(row, traces::TextAt(trace_, column, row));
    };
    const std::string object = path(object_);
    const std::string source = path(source_);
    if (!object.empty() && !source.empty()) return object + " ← " + source;
    if (!object.empty() || !source.empty()) return object.empty() ? source : object;
    if (std::string command = traces::TextAt(trace_, command_, row); !command.empty()) {
      return command;
    }
    const std::string reason = traces::TextAt(trace_, reason_, row);
    return reason.empty() ? "(unnamed)" : "(" + reason + ")";
  }

  // Of the spans below each unit that with the largest self time; what belongs to a unit inside of
  // it is that one's.
  void FindMostly(const std::vector<traces::Row>& rows) {
    const auto llamacc = trace_.strings().Find(trace::span::kLlamacc);
    const auto command = trace_.strings().Find(trace::span::kCommand);
    const std::span<const traces::StringId> names = trace_.name();
    std::vector<traces::Row> open;
    for (const traces::Row unit : rows) {
      traces::Row most = unit;
      open.assign(1, unit);
      while (!open.empty()) {
        const traces::Row row = open.back();
        open.pop_back();
        if (trace_.self_ns()[row] > trace_.self_ns()[most]) most = row;
        for (const traces::Row child : trace_.children(row)) {
          if (names[child] != llamacc && names[child] != command) open.push_back(child);
        }
      }
      mostly_.push_back(PlaceOfPhase(trace_.text(names[most])).name);
    }
  }

  const traces::Columns& trace_;
  const ProjectPaths paths_;
  const traces::FieldColumn& object_ = trace_.field(trace::field::kObject);
  const traces::FieldColumn& source_ = trace_.field(trace::field::kSource);
  const traces::FieldColumn& command_ = trace_.field(trace::field::kCommand);
  const traces::FieldColumn& reason_ = trace_.field(trace::field::kReason);
  const RemoteRuns remote_{trace_};
  std::vector<std::string_view> mostly_;
};

// The distinct values of a field of some spans, the first few by name.
std::string Distinct(const traces::Columns& trace, std::string_view span, std::string_view field) {
  const traces::FieldColumn& column = trace.field(field);
  std::set<std::pair<traces::Kind, uint64_t>> seen;
  std::set<std::string> texts;
  for (const traces::Row row : trace.rows_named(span)) {
    const auto value = column.At(row);
    if (!value || !seen.emplace(value->kind, value->bits).second) continue;
    if (seen.size() > 4 * kMaxListed) break;
    if (value->kind == traces::Kind::kString)
      texts.insert(std::string(trace.text(value->as_string())));
    if (value->kind == traces::Kind::kInt) texts.insert(std::to_string(value->as_int()));
  }
  std::string out;
  size_t listed = 0;
  for (const std::string& text : texts) {
    if (listed++ == kMaxListed) return out + ", …";
    out += (out.empty() ? "" : ", ") + text;
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> ConfigurationOf(
    const traces::Columns& trace, const Summary& summary, const Analysis& analysis,
    const builds::BuildRecord* record) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto add = [&](std::string key, std::string value) {
    if (!value.empty()) out.emplace_back(std::move(key), std::move(value));
  };
  add("command", summary.command);
  add("cwd",
      record != nullptr ? record->cwd : Distinct(trace, trace::span::kBuild, trace::field::kCwd));
  if (analysis.slots.known) {
    add("jobs",
        analysis.slots.count == kUnlimitedJobs ? "no limit" : std::to_string(analysis.slots.count));
  }
  add("compiler", Distinct(trace, trace::span::kLlamacc, trace::field::kCompiler));
  for (auto& flag : CompileFlags(trace)) out.push_back(std::move(flag));
  add("function", Distinct(trace, trace::span::kInvoke, trace::field::kFunction));
  add("memory_mb", Distinct(trace, trace::span::kInvoke, trace::field::kMemoryMb));
  add("cpus", Distinct(trace, trace::span::kBuild, trace::field::kCpus));
  add("version", Distinct(trace, trace::span::kBuild, trace::field::kVersion));
  if (record != nullptr) {
    for (const auto& [key, value] : record->tags) add("tags." + key, value);
    return out;
  }
  for (traces::FieldId id = 0; id < trace.field_count(); ++id) {
    if (!trace.field_name(id).starts_with(trace::field::kTagsPrefix)) continue;
    add(std::string(trace.field_name(id)),
        Distinct(trace, trace::span::kBuild, trace.field_name(id)));
  }
  return out;
}

std::string CwdOf(const traces::Columns& trace, const builds::BuildRecord* record) {
  if (record != nullptr && !record->cwd.empty()) return record->cwd;
  for (const traces::Row row : trace.rows_named(trace::span::kBuild))
    return traces::TextAt(trace, trace.field(trace::field::kCwd), row);
  return "";
}

}  // namespace

BuildProfile ProfileBuild(const traces::Columns& trace, const std::string& id,
                          const builds::BuildRecord* record) {
  BuildProfile out;
  Summary summary = SummariseFigures(trace);
  if (!summary.finished && record != nullptr)
    summary.command = builds::ShellCommand(record->command);
  Analysis analysis;
  analysis.units = FindUnits(trace);
  analysis.slots = FindJobSlots(trace, analysis.units);
  analysis.graph = FindGraph(trace, analysis.units);
  out.bounds_ns = FindBounds(trace, analysis.units, analysis.graph, analysis.slots).total_ns;
  out.id = id;
  out.name = record != nullptr ? record->name : summary.name;
  out.start_ns = summary.start_ns;
  out.wall_ns = analysis.units.wall_ns();
  out.finished = summary.finished;
  out.outcome = summary.finished ? OutcomeText(summary) : "unfinished: its own span is missing";
  out.units = UnitLister(trace, CwdOf(trace, record)).List();
  int64_t units_ns = 0;
  for (const UnitProfile& unit : out.units) units_ns = traces::AddUp(units_ns, unit.duration_ns);
  out.figures = FiguresOf(trace, summary, units_ns);
  out.figures[0].value = out.wall_ns;
  out.phases = PhasesOf(trace);
  out.durations = DurationsOf(trace, out.units);
  out.configuration = ConfigurationOf(trace, summary, analysis, record);
  return out;
}

}  // namespace llama::analysis
