// Findings of the critical path and of the build system.
#include <algorithm>
#include <numeric>

#include "analysis/findings/rules.h"
#include "analysis/path/bound_load.h"
#include "base/text/format.h"
#include "base/text/text_writer.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"
#include "traces/columns/percentile.h"

namespace llama::analysis {
namespace {

constexpr double kLeastStretch = 0.05;  // of the wall clock: one slow unit, or a chain
// One unit is slow if it takes several times what others take.
constexpr int64_t kSlowerThanMedian = 3;
constexpr size_t kChainUnits = 3;
constexpr double kLeastFreeSlots = 0.10;
// Of the build host's processors: more units at a time would only wait for them.
constexpr double kCpuFull = 0.90;
constexpr double kLeastIdle = 0.10;
constexpr size_t kMaxStretches = 3;  // of one kind that are told
// Of time with free slots, what a unit that others wait for is to blame for; and a chain of them,
// also for what is between them.
constexpr std::initializer_list<Bound> kAlone = {Bound::kDependencies, Bound::kTail, Bound::kMake,
                                                 Bound::kCpu};
constexpr std::initializer_list<Bound> kInChain = {Bound::kDependencies, Bound::kTail, Bound::kMake,
                                                   Bound::kCpu, Bound::kIdle};

std::string Shown(const std::string& label) { return CutFront(Printable(label), kShownName); }

std::string Slots(const JobSlots& slots) {
  return slots.count == kUnlimitedJobs ? "any number of"
                                       : FormatCount(static_cast<uint64_t>(slots.count));
}

// Units of the path that waited for each other, one after another, while slots were free.
struct Stretch {
  size_t begin = 0;  // links [begin, end)
  size_t end = 0;
  size_t slowest = 0;  // link with most of low_ns
  int64_t low_ns = 0;
  int64_t gaps_ns = 0;
};

std::vector<Stretch> FindStretches(const CriticalPath& path) {
  std::vector<Stretch> out;
  for (size_t i = 0; i < path.links.size(); ++i) {
    const PathLink& link = path.links[i];
    const bool goes_on = link.kind == LinkKind::kDependency || link.kind == LinkKind::kFollowed;
    if (out.empty() || !goes_on) out.push_back({i, i, i, 0, 0});
    Stretch& stretch = out.back();
    if (i > stretch.begin) stretch.gaps_ns += link.gap_ns;
    stretch.end = i + 1;
    stretch.low_ns += link.low_ns;
    if (link.low_ns > path.links[stretch.slowest].low_ns) stretch.slowest = i;
  }
  return out;
}

class PathRules {
 public:
  PathRules(const RuleInput& in, FindingList& out)
      : in_(in), units_(in.analysis.units), path_(in.analysis.path), out_(out) {
    std::vector<int64_t> durations;
    durations.reserve(units_.all.size());
    for (const Unit& unit : units_.all) durations.push_back(unit.duration_ns());
    median_ns_ = traces::Percentile(durations, 50);
  }

  void FindStretchesThatCost() {
    std::vector<Stretch> stretches = FindStretches(path_);
    std::stable_sort(stretches.begin(), stretches.end(),
                     [](const Stretch& a, const Stretch& b) { return a.low_ns > b.low_ns; });
    size_t slow = 0;
    size_t chains = 0;
    for (const Stretch& stretch : stretches) {
      const int64_t slowest_ns = path_.links[stretch.slowest].low_ns;
      if (slowest_ns >= stretch.low_ns - slowest_ns) {
        if (slow < kMaxStretches && AddSlowUnit(path_.links[stretch.slowest])) ++slow;
      } else if (chains < kMaxStretches && AddChain(stretch)) {
        ++chains;
      }
    }
  }

  void FindMake() {
    const double cost_ns = in_.ledger.Left(Bound::kMake);
    if (!out_.IsWorth(cost_ns, kLeastStretch)) return;
    Finding& finding = out_.Add("make", cost_ns);
    finding.is_estimate = !path_.from_graph;
    const double mean = MeanRunning(Bound::kMake);
    finding.text = "make was the limit: for " + out_.Share(cost_ns) + " of the wall clock " +
                   FormatFixed(mean, 1) + " of " + Slots(in_.analysis.slots) +
                   " job slots were in use, and nothing known kept the next units from starting";
    finding.advice =
        "look for recursive makes, shell loops and slow recipes between compiles; one make (or "
        "ninja) over all folders keeps the slots full";
    finding.evidence = {{"mean_units", mean},
                        {"job_slots", AsDouble(in_.analysis.slots.count)},
                        {"make_ns", cost_ns}};
  }

  // What could be gained by twice as many: half of the time.
  void FindSlots() {
    const JobSlots& slots = in_.analysis.slots;
    const double bound_ns = in_.ledger.Left(Bound::kSlots);
    if (!slots.known || slots.count == kUnlimitedJobs) return;
    if (!out_.IsWorth(bound_ns / 2, kLeastFreeSlots)) return;
    Finding& finding = out_.Add("slots", bound_ns, bound_ns / 2);
    const std::string all =
        slots.count == 1 ? "the only job slot" : "all " + Slots(slots) + " job slots";
    finding.text = "for " + out_.Share(bound_ns) + " of the wall clock " + all +
                   " of the build's command were taken, and their units compiled";
    finding.evidence = {{"job_slots", AsDouble(slots.count)}, {"slots_ns", bound_ns}};
    const auto busy = CpuBusyWhile(in_.trace, units_, in_.analysis.bounds, Bound::kSlots);
    if (busy) finding.evidence.emplace_back("cpu_busy", *busy);
    if (busy.value_or(0) >= kCpuFull) {
      finding.text += "; the build host's processors were " + FormatShare(*busy) + " busy then";
      finding.advice = AdviceWhileCpuIsFull();
      return;
    }
    finding.advice = "let it run more at once: -j" +
                     std::to_string(std::max<int64_t>(slots.count * 2, 8)) +
                     " could save up to half of that time, while functions are to be had";
  }

  void FindIdle() {
    const double idle_ns = in_.ledger.Left(Bound::kIdle);
    if (!out_.IsWorth(idle_ns, kLeastIdle)) return;
    const int64_t before_ns = units_.all.front().start_ns - units_.start_ns;
    int64_t last_end_ns = units_.start_ns;
    for (const Unit& unit : units_.all) last_end_ns = std::max(last_end_ns, unit.end_ns);
    const int64_t after_ns = units_.end_ns - last_end_ns;
    // The gaps of a chain are told there.
    const double between_ns = std::max(0.0, idle_ns - AsDouble(before_ns) - AsDouble(after_ns));
    Finding& finding = out_.Add("idle", idle_ns);
    finding.text = "for " + out_.Share(idle_ns) +
                   " of the wall clock no compile ran: " + FormatDuration(before_ns) +
                   " before the first, " + FormatDuration(traces::WholeOf(between_ns)) +
                   " between, " + FormatDuration(after_ns) + " after the last";
    finding.advice =
        "that time went to commands that llama doesn't see: configuring, generators, archives, "
        "links by other programs, tests";
    finding.evidence = {{"idle_ns", idle_ns},
                        {"before_ns", AsDouble(before_ns)},
                        {"between_ns", between_ns},
                        {"after_ns", AsDouble(after_ns)}};
  }

 private:
  std::string AdviceWhileCpuIsFull() const {
    if (in_.transfers.embedded) {
      return "the functions run on the build host: more job slots gain nothing, more processors "
             "would, or functions on AWS ('llama bootstrap' sets them up)";
    }
    return "more job slots would wait for those processors: see what else runs there; if it is the "
           "functions themselves ('llama emulator'), only more processors or a real cloud help";
  }

  // What a unit of the path spent with few others, and slots free.
  void AddLowTime(const PathLink& link, BoundLedger::Times& out) const {
    const int64_t begin_ns = units_.all[link.unit].start_ns;
    const int64_t end_ns = begin_ns + link.time_ns;
    auto step = std::upper_bound(
        units_.steps.begin(), units_.steps.end(), begin_ns,
        [](int64_t time, const RunningStep& other) { return time < other.time_ns; });
    if (step != units_.steps.begin()) --step;
    for (; step + 1 < units_.steps.end() && step->time_ns < end_ns; ++step) {
      if (step->running == 0 || step->running > path_.few ||
          in_.analysis.slots.AllTaken(step->running)) {
        continue;
      }
      in_.ledger.AddTime(std::max(begin_ns, step->time_ns), std::min(end_ns, (step + 1)->time_ns),
                         out);
    }
  }

  std::string AdviceForSlow(const Unit& unit) const {
    if (unit.remote) return "split it, or let it start first: it decides when the build ends";
    if (ReasonOf(unit) == "link") {
      return "use a faster linker or less debug information, or let it start first";
    }
    return "docs/trace_format.md explains the reason; if " +
           Shown(in_.analysis.names->Of(unit.row)) +
           " has to run here, split it, or let it start first";
  }

  std::string ReasonOf(const Unit& unit) const {
    const auto reason = in_.trace.field(trace::field::kReason).StringAt(unit.row);
    return reason ? CutTo(Printable(in_.trace.text(*reason)), kShownName) : "unknown";
  }

  bool AddSlowUnit(const PathLink& link) {
    const Unit& unit = units_.all[link.unit];
    BoundLedger::Times wanted = {};
    AddLowTime(link, wanted);
    const double cost_ns = in_.ledger.Available(wanted, kAlone);
    if (!out_.IsWorth(cost_ns, kLeastStretch)) return false;
    if (unit.duration_ns() / kSlowerThanMedian < median_ns_ && units_.all.size() > 1) return false;
    in_.ledger.Take(wanted, kAlone);
    Finding& finding = out_.Add("slow-unit", cost_ns);
    finding.subject = in_.analysis.names->Of(unit.row);
    const std::string fewer =
        path_.few == 1 ? "nothing else ran"
                       : "at most " + FormatCount(static_cast<uint64_t>(path_.few)) + " jobs ran";
    finding.text = "for " + out_.Share(cost_ns) + " of the wall clock " + fewer + ", waiting for " +
                   Shown(finding.subject) + ": it took " + FormatDuration(unit.duration_ns());
    if (units_.all.size() > 1) {
      finding.text += ", half of all units less than " + FormatDuration(median_ns_);
    }
    if (!unit.remote) finding.text += "; it ran on this machine because of " + ReasonOf(unit);
    finding.advice = AdviceForSlow(unit);
    finding.evidence = {{"low_ns", cost_ns},
                        {"duration_ns", AsDouble(unit.duration_ns())},
                        {"median_ns", AsDouble(median_ns_)},
                        {"few", AsDouble(path_.few)}};
    return true;
  }

  bool AddChain(const Stretch& stretch) {
    BoundLedger::Times wanted = {};
    for (size_t i = stretch.begin; i < stretch.end; ++i) {
      AddLowTime(path_.links[i], wanted);
      const int64_t start_ns = units_.all[path_.links[i].unit].start_ns;
      if (i > stretch.begin) in_.ledger.AddTime(start_ns - path_.links[i].gap_ns, start_ns, wanted);
    }
    const double cost_ns = in_.ledger.Available(wanted, kInChain);
    // Units that ran while few others did.
    size_t count = 0;
    size_t first = stretch.end;
    size_t last = stretch.begin;
    for (size_t i = stretch.begin; i < stretch.end; ++i) {
      if (path_.links[i].low_ns * 2 < path_.links[i].time_ns) continue;
      ++count;
      first = std::min(first, i);
      last = i;
    }
    if (count < kChainUnits || !out_.IsWorth(cost_ns, kLeastStretch)) return false;
    in_.ledger.Take(wanted, kInChain);
    Finding& finding = out_.Add("serial-chain", cost_ns);
    finding.is_estimate = !path_.from_graph;
    finding.subject = in_.analysis.names->Of(units_.all[path_.links[last].unit].row);
    finding.text = "for " + out_.Share(cost_ns) + " of the wall clock " + FormatCount(count) +
                   " units ran one after another, from " +
                   Shown(in_.analysis.names->Of(units_.all[path_.links[first].unit].row)) + " to " +
                   Shown(finding.subject) + (path_.from_graph ? "" : " (by their timing)");
    finding.advice =
        "see which of these dependencies are needed; order-only ones, and code that is generated "
        "once for all, keep the rest from waiting";
    finding.evidence = {{"units", AsDouble(static_cast<int64_t>(count))},
                        {"low_ns", AsDouble(stretch.low_ns)},
                        {"gaps_ns", AsDouble(stretch.gaps_ns)}};
    return true;
  }

  double MeanRunning(Bound bound) const {
    double unit_ns = 0;
    double all_ns = 0;
    size_t step = 0;
    for (const BoundInterval& interval : in_.analysis.bounds.intervals) {
      if (interval.bound != bound) continue;
      while (step + 1 < units_.steps.size() && units_.steps[step + 1].time_ns <= interval.begin_ns)
        ++step;
      for (size_t k = step;
           k + 1 < units_.steps.size() && units_.steps[k].time_ns < interval.end_ns; ++k) {
        const int64_t from_ns = std::max(units_.steps[k].time_ns, interval.begin_ns);
        const int64_t to_ns = std::min(units_.steps[k + 1].time_ns, interval.end_ns);
        unit_ns += AsDouble(to_ns - from_ns) * units_.steps[k].running;
      }
      all_ns += AsDouble(interval.end_ns - interval.begin_ns);
    }
    return all_ns > 0 ? unit_ns / all_ns : 0;
  }

  const RuleInput& in_;
  const Units& units_;
  const CriticalPath& path_;
  FindingList& out_;
  int64_t median_ns_ = 0;
};

}  // namespace

void FindInPath(const RuleInput& in, FindingList& out) {
  PathRules(in, out).FindStretchesThatCost();
}

void FindInBuildSystem(const RuleInput& in, FindingList& out) {
  PathRules rules(in, out);
  rules.FindMake();
  rules.FindSlots();
  rules.FindIdle();
}

}  // namespace llama::analysis
