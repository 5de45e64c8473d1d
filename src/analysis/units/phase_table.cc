#include "analysis/units/phase_table.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "trace/names.h"
#include "traces/columns/numbers.h"
#include "traces/columns/percentile.h"

namespace llama::analysis {
namespace {

struct KnownPhase {
  std::string_view name;
  int depth;
};

constexpr std::array<KnownPhase, 17> kPhases = {{
    {trace::span::kLlamacc, 0},
    {trace::span::kCommand, 0},
    {trace::span::kSend, 1},
    {trace::span::kParse, 1},
    {trace::span::kScan, 1},
    {trace::span::kSync, 1},
    {trace::span::kInvoke, 1},
    {trace::span::kWorker, 2},
    {trace::span::kReceive, 3},
    {trace::span::kMaterialise, 3},
    {trace::span::kExec, 3},
    {trace::span::kCollect, 3},
    {trace::span::kVerify, 1},
    {trace::span::kWrite, 1},
    {trace::span::kReply, 1},
    {trace::span::kQueue, 1},
    {trace::span::kLocal, 1},
}};

// Deeper names are listed last, without a place.
constexpr int kMaxPhaseDepth = 8;
constexpr size_t kMaxPlaced = 64;

bool IsPhase(std::string_view name) {
  return name != trace::span::kBuild && name != trace::span::kMachine;
}

// Percentiles of ascending p: each search goes on where the last one ended.
class RisingPercentiles {
 public:
  explicit RisingPercentiles(std::vector<int64_t>& values)
      : values_(values), from_(values.begin()) {}
  int64_t At(double percent) {
    const auto nth =
        values_.begin() + static_cast<std::ptrdiff_t>(traces::NearestRank(values_.size(), percent));
    std::nth_element(from_, nth, values_.end());
    from_ = nth;
    return *nth;
  }

 private:
  std::vector<int64_t>& values_;
  std::vector<int64_t>::iterator from_;
};

PhaseStats StatsOf(const traces::Columns& trace, traces::StringId name, double total) {
  PhaseStats stats;
  stats.name = trace.text(name);
  stats.depth = PlaceOfPhase(stats.name).depth;
  std::vector<int64_t> durations;
  const auto rows = trace.rows_named(name);
  durations.reserve(rows.size());
  double sum = 0;
  for (const traces::Row row : rows) {
    const int64_t duration_ns = trace.duration_ns()[row];
    durations.push_back(duration_ns);
    stats.sum_ns = traces::AddUp(stats.sum_ns, duration_ns);
    stats.self_ns = traces::AddUp(stats.self_ns, trace.self_ns()[row]);
    stats.max_ns = std::max(stats.max_ns, duration_ns);
    sum += static_cast<double>(duration_ns);
  }
  stats.count = durations.size();
  stats.share = total > 0 ? sum / total : 0;
  RisingPercentiles percentiles(durations);
  stats.p50_ns = percentiles.At(50);
  stats.p95_ns = percentiles.At(95);
  stats.p99_ns = percentiles.At(99);
  return stats;
}

// The name above the first span of that name; empty of a root.
std::string_view NameAbove(const traces::Columns& trace, const std::string& name) {
  const traces::Row parent = trace.parent()[trace.rows_named(std::string_view(name))[0]];
  return parent == traces::kNoRow ? std::string_view() : trace.text(trace.name()[parent]);
}

// Known phases in their order; others below the one that they first occurred in, by name.
std::vector<PhaseStats> InTreeOrder(const traces::Columns& trace, std::vector<PhaseStats> phases) {
  const auto order = [](const PhaseStats& phase) { return PlaceOfPhase(phase.name).order; };
  std::sort(phases.begin(), phases.end(), [&](const PhaseStats& a, const PhaseStats& b) {
    return order(a) != order(b) ? order(a) < order(b) : a.name < b.name;
  });
  const auto known = std::find_if(phases.begin(), phases.end(), [&](const PhaseStats& phase) {
    return order(phase) == PhasePlace().order;
  });
  std::vector<PhaseStats> others(std::make_move_iterator(known),
                                 std::make_move_iterator(phases.end()));
  phases.erase(known, phases.end());
  // A hostile trace may have a million names; finding a place takes time by their square.
  for (PhaseStats& phase : others) phase.depth = others.size() > kMaxPlaced ? 0 : phase.depth;
  const int rounds = others.size() > kMaxPlaced ? 0 : kMaxPhaseDepth;
  // One round for each level; what is left after that is below names that have no place either.
  for (int round = 0; round < rounds && !others.empty(); ++round) {
    std::vector<PhaseStats> later;
    for (PhaseStats& phase : others) {
      const std::string_view above = NameAbove(trace, phase.name);
      const auto parent = std::find_if(phases.begin(), phases.end(), [&](const PhaseStats& other) {
        return other.name == above;
      });
      if (!above.empty() && IsPhase(above) && parent == phases.end()) {
        later.push_back(std::move(phase));
        continue;
      }
      phase.depth = parent == phases.end() ? 0 : parent->depth + 1;
      const auto next =
          std::find_if(parent == phases.end() ? parent : parent + 1, phases.end(),
                       [&](const PhaseStats& other) { return other.depth < phase.depth; });
      phases.insert(next, std::move(phase));
    }
    others = std::move(later);
  }
  for (PhaseStats& phase : others) phases.push_back(std::move(phase));
  return phases;
}

double WorkTime(const traces::Columns& trace) {
  double sum = 0;
  for (const std::string_view name : {trace::span::kLlamacc, trace::span::kCommand}) {
    for (const traces::Row row : trace.rows_named(name)) {
      sum += static_cast<double>(trace.duration_ns()[row]);
    }
  }
  if (sum > 0) return sum;
  for (const traces::Row row : trace.roots()) {
    if (IsPhase(trace.text(trace.name()[row]))) {
      sum += static_cast<double>(trace.duration_ns()[row]);
    }
  }
  return sum;
}

}  // namespace

PhasePlace PlaceOfPhase(std::string_view name) {
  for (size_t i = 0; i < kPhases.size(); ++i) {
    if (kPhases[i].name == name) return {kPhases[i].depth, static_cast<int>(i), kPhases[i].name};
  }
  return {};
}

std::vector<PhaseStats> MeasurePhases(const traces::Columns& trace) {
  const double total = WorkTime(trace);
  std::vector<PhaseStats> phases;
  for (const traces::StringId name : trace.span_names()) {
    if (IsPhase(trace.text(name))) phases.push_back(StatsOf(trace, name, total));
  }
  return InTreeOrder(trace, std::move(phases));
}

}  // namespace llama::analysis
