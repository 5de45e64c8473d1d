#include "analysis/units/phase_table.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

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

// Names further below are listed last.
constexpr int kMaxPhaseDepth = 8;

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

// The name that most spans of that name are below (the first to come, of several), past those of
// the same name that are not too many. Empty: none, or one that is no phase.
std::string_view MostlyBelow(const traces::Columns& trace, traces::StringId name) {
  std::unordered_map<traces::StringId, size_t> counts;
  std::pair<size_t, traces::StringId> most = {0, name};
  for (const traces::Row row : trace.rows_named(name)) {
    traces::Row above = trace.parent()[row];
    for (int up = 0; up < traces::kMaxClimb && above != traces::kNoRow; ++up) {
      if (trace.name()[above] != name) break;
      above = trace.parent()[above];
    }
    const traces::StringId found = above == traces::kNoRow ? name : trace.name()[above];
    const size_t count = ++counts[found];
    if (count > most.first) most = {count, found};
  }
  const std::string_view text = trace.text(most.second);
  return most.second != name && IsPhase(text) ? text : std::string_view();
}

// Each below the one that it mostly occurs in: known phases in their order, others by name.
class PhaseTree {
 public:
  PhaseTree(std::vector<PhaseStats> phases, const std::vector<std::string_view>& above)
      : phases_(std::move(phases)), placed_(phases_.size()) {
    std::vector<size_t> order(phases_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const int order_a = PlaceOfPhase(phases_[a].name).order;
      const int order_b = PlaceOfPhase(phases_[b].name).order;
      return order_a != order_b ? order_a < order_b : phases_[a].name < phases_[b].name;
    });
    for (const size_t i : order) below_[above[i]].push_back(i);
    Place({}, 0);
    // What is left goes round in circles: a hostile trace's.
    for (const size_t i : order) PlaceOne(i, 0);
  }

  std::vector<PhaseStats> Take() { return std::move(out_); }

 private:
  void Place(std::string_view above, int depth) {
    const auto found = below_.find(above);
    if (found == below_.end()) return;
    for (const size_t i : found->second) PlaceOne(i, depth);
  }
  // Past kMaxPhaseDepth what is below comes with the rest.
  void PlaceOne(size_t i, int depth) {
    if (placed_[i]) return;
    placed_[i] = true;
    const std::string name = phases_[i].name;
    phases_[i].depth = depth;
    out_.push_back(std::move(phases_[i]));
    if (depth < kMaxPhaseDepth) Place(name, depth + 1);
  }

  std::vector<PhaseStats> phases_;
  std::vector<bool> placed_;
  std::unordered_map<std::string_view, std::vector<size_t>> below_;
  std::vector<PhaseStats> out_;
};

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
  std::vector<std::string_view> above;
  for (const traces::StringId name : trace.span_names()) {
    if (!IsPhase(trace.text(name))) continue;
    phases.push_back(StatsOf(trace, name, total));
    above.push_back(MostlyBelow(trace, name));
  }
  return PhaseTree(std::move(phases), above).Take();
}

}  // namespace llama::analysis
