// Findings of the build host.
#include <algorithm>
#include <map>

#include "analysis/findings/rules.h"
#include "analysis/resources/cpu_users.h"
#include "analysis/resources/machine_samples.h"
#include "analysis/units/phase_intervals.h"
#include "base/text/format.h"
#include "base/text/text_writer.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

constexpr double kLeastCpu = 0.10;
constexpr double kLeastOthers = 0.05;
constexpr double kLeastLocalRuns = 0.05;
constexpr double kLeastPressure = 0.20;

// What no compile could have been spared: it asks for something that is done here.
bool IsLocalByNature(std::string_view reason) {
  for (const char* word : {"link", "preprocess", "dependencies", "query", "stdin", "no-source"}) {
    if (reason == word) return true;
  }
  return false;
}

// The share of a stretch of time that has this bound.
TimeWeight TimeOf(const Bounds& bounds, Bound bound) {
  return [&bounds, bound](int64_t begin_ns, int64_t end_ns) {
    int64_t ns = 0;
    auto interval =
        std::upper_bound(bounds.intervals.begin(), bounds.intervals.end(), begin_ns,
                         [](int64_t time, const BoundInterval& i) { return time < i.end_ns; });
    for (; interval != bounds.intervals.end() && interval->begin_ns < end_ns; ++interval) {
      if (interval->bound != bound) continue;
      ns += std::min(end_ns, interval->end_ns) - std::max(begin_ns, interval->begin_ns);
    }
    return end_ns > begin_ns ? AsDouble(ns) / AsDouble(end_ns - begin_ns) : 0;
  };
}

// What processors did for others while they were the limit, they did not do for the build. That the
// build would have had all of it is an estimate; how much it was is not.
void FindOthers(const RuleInput& in, FindingList& out) {
  const auto users =
      MeasureCpuUsers(in.trace, in.analysis.units.build, TimeOf(in.analysis.bounds, Bound::kCpu));
  if (!users || users->used_ns() <= 0) return;
  const double bound_ns = in.ledger.Left(Bound::kCpu);
  struct Other {
    const char* kind;
    const char* text;
    const char* advice;
    double cpu_ns;
  };
  for (const Other& other :
       {Other{"other-builds", "other builds of this daemon",
              "they share the processors and the workers: let one end before the other begins, or "
              "give each fewer jobs",
              users->other_builds_ns},
        Other{"other-programs", "programs that are none of the build's",
              "see what they are (top) and let them wait, or lower the build's -j to what is left",
              users->other_programs_ns}}) {
    const double share = other.cpu_ns / users->used_ns();
    if (!out.IsWorth(bound_ns * share, kLeastOthers)) continue;
    BoundLedger::Times wanted = {};
    wanted[static_cast<size_t>(Bound::kCpu)] = bound_ns * share;
    const double cost_ns = in.ledger.Available(wanted, {Bound::kCpu});
    in.ledger.Take(wanted, {Bound::kCpu});
    Finding& finding = out.Add(other.kind, cost_ns);
    finding.is_estimate = true;
    finding.text = "while the build host's processors were the limit, " + std::string(other.text) +
                   " had " + FormatDuration(traces::WholeOf(other.cpu_ns)) + " of them, " +
                   FormatShare(share) + " of what was used; that is " + out.Share(cost_ns) +
                   " of the wall clock";
    finding.advice = other.advice;
    finding.evidence = {{"cpu_ns", other.cpu_ns}, {"used_ns", users->used_ns()}, {"share", share}};
  }
}

// What could be gained by twice as much: half of the time.
void FindCpu(const RuleInput& in, FindingList& out) {
  const double bound_ns = in.ledger.Left(Bound::kCpu);
  if (!out.IsWorth(bound_ns / 2, kLeastCpu)) return;
  Finding& finding = out.Add("cpu", bound_ns, bound_ns / 2);
  int64_t cpus = 0;
  if (in.analysis.units.build_row)
    cpus = NsAt(in.trace.field(trace::field::kCpus), *in.analysis.units.build_row);
  const std::string processors =
      cpus > 0 ? Plural(static_cast<uint64_t>(cpus), "processor", "processors") : "processors";
  finding.text = "the build host's " + processors + " were the limit for " + out.Share(bound_ns) +
                 " of the wall clock";
  if (in.transfers.embedded) finding.text += "; the functions run on it, too";
  finding.advice = in.transfers.embedded
                       ? "'llama bootstrap' sets up functions on AWS, which compile elsewhere"
                       : "see why units ran here ('llama report' lists the reasons), and what else "
                         "this machine does";
  finding.evidence = {{"cpu_ns", bound_ns}, {"cpus", AsDouble(cpus)}};
}

void FindLocalRuns(const RuleInput& in, FindingList& out) {
  struct Reason {
    uint64_t count = 0;
    double cost_ns = 0;
  };
  std::map<std::string_view, Reason> reasons;
  const traces::FieldColumn& reason = in.trace.field(trace::field::kReason);
  uint64_t runs = 0;
  BoundLedger::Times wanted = {};
  for (size_t i = 0; i < in.analysis.units.all.size(); ++i) {
    const Unit& unit = in.analysis.units.all[i];
    if (unit.remote) continue;
    const auto text = reason.StringAt(unit.row);
    const std::string_view why = text ? in.trace.text(*text) : "unknown";
    if (IsLocalByNature(why) || IsFailureReason(why) || why == kCancelled || why == kSlowUpload) {
      continue;
    }
    Reason& entry = reasons[why];
    ++entry.count;
    entry.cost_ns += AsDouble(in.analysis.weighted_ns[i]);
    ++runs;
    in.ledger.AddShare(unit.start_ns, unit.end_ns, wanted);
  }
  const double cost_ns = in.ledger.Available(wanted, kWorkBounds);
  if (runs == 0 || !out.IsWorth(cost_ns, kLeastLocalRuns)) return;
  const auto main = std::max_element(
      reasons.begin(), reasons.end(),
      [](const auto& a, const auto& b) { return a.second.cost_ns < b.second.cost_ns; });
  in.ledger.Take(wanted, kWorkBounds);
  Finding& finding = out.Add("local-runs", cost_ns);
  finding.subject = main->first;
  finding.text = FormatCount(runs) + " of " +
                 Plural(in.analysis.units.all.size(), "unit", "units") +
                 " ran on this machine and took " + out.Share(cost_ns) +
                 " of the wall clock; mainly (" + FormatCount(main->second.count) +
                 ") because of " + CutTo(Printable(finding.subject), kShownName);
  finding.advice =
      "docs/trace_format.md explains the reasons; 'llama sql \"SELECT reason, reason_detail, file "
      "FROM compiles WHERE NOT remote\"' shows each";
  finding.evidence = {{"local_runs", static_cast<double>(runs)},
                      {"units", static_cast<double>(in.analysis.units.all.size())},
                      {"main_reason_runs", static_cast<double>(main->second.count)},
                      {"main_reason_ns", main->second.cost_ns}};
}

// How much of the units' time was spent on the build host.
double HostShare(const RuleInput& in) {
  double host_ns = 0;
  double all_ns = 0;
  ForEachPhase(in.trace, in.analysis.units.build,
               [&](Phase phase, int64_t begin, int64_t end, traces::Row) {
                 const double ns = AsDouble(end - begin);
                 all_ns += ns;
                 const bool is_host = phase == Phase::kClient || phase == Phase::kLocal ||
                                      phase == Phase::kLocalMeanwhile ||
                                      phase == Phase::kLocalQueue || phase == Phase::kSync;
                 if (is_host || in.transfers.embedded) host_ns += ns;
               });
  return all_ns > 0 ? host_ns / all_ns : 0;
}

// While something waited, some of the build did: half of it, by a guess that errs on neither side.
void FindPressure(const RuleInput& in, FindingList& out) {
  struct Resource {
    const char* kind;
    std::string_view field;
    const char* text;
    const char* advice;
  };
  const MachineSamples samples(in.trace, in.analysis.units.build);
  for (const Resource& resource :
       {Resource{"memory", trace::field::kMemoryPressureNs, "memory",
                 "run fewer links at once, or link with less debug information"},
        Resource{"disk", trace::field::kIoPressureNs, "disks",
                 "build on a faster disk or a tmpfs, or write less debug information"}}) {
    const traces::FieldColumn& pressure = in.trace.field(resource.field);
    if (pressure.size() == 0) continue;
    double ns = 0;
    for (const traces::Row row : samples.rows()) ns += AsDouble(NsAt(pressure, row));
    if (!out.IsWorth(ns, kLeastPressure)) continue;
    const BoundLedger::Times wanted = in.ledger.Spread(ns / 2 * HostShare(in), kWorkBounds);
    const double cost_ns = in.ledger.Available(wanted, kWorkBounds);
    if (!out.IsWorth(cost_ns, kLeastPressure / 2)) continue;
    in.ledger.Take(wanted, kWorkBounds);
    Finding& finding = out.Add(resource.kind, cost_ns);
    finding.is_estimate = true;
    finding.text = "something on the build host waited for " + std::string(resource.text) +
                   " for " + out.Share(ns) + " of the wall clock";
    finding.advice = resource.advice;
    finding.evidence = {{"pressure_ns", ns}};
  }
}

}  // namespace

void FindOnHost(const RuleInput& in, FindingList& out) {
  FindOthers(in, out);
  FindLocalRuns(in, out);
  FindPressure(in, out);
  FindCpu(in, out);
}

}  // namespace llama::analysis
