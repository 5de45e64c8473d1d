#include "analysis/path/bounds.h"

#include <algorithm>

#include "analysis/path/bound_rules.h"
#include "analysis/path/build_links.h"
#include "analysis/resources/host_load.h"
#include "analysis/resources/transfers.h"
#include "analysis/units/phase_intervals.h"
#include "analysis/units/time_grid.h"
#include "base/text/format.h"

namespace llama::analysis {
namespace {

constexpr int64_t kCells = 240;
// Shorter stretches are the gaps between one job and the next, not a bound.
constexpr int64_t kLeastCellNs = 20'000'000;
constexpr size_t kStripColumns = 80;
constexpr size_t kStripIndent = 10;
constexpr char kMarks[kBounds + 1] = "#wcudslfrCntm-";

class BoundFinder {
 public:
  BoundFinder(const traces::Columns& trace, const Units& units, const BuildGraph& graph,
              const JobSlots& slots)
      : trace_(trace),
        units_(units),
        slots_(slots),
        links_(units, graph, slots),
        grid_(BoundGrid(units)),
        load_(MeasureHostLoad(trace, units, grid_)),
        transfers_(MeasureTransfers(trace, units)) {}

  Bounds Find() {
    MeasurePhases();
    Bounds out;
    size_t step = 0;
    for (size_t cell = 0; cell < grid_.size(); ++cell) {
      const Bound bound = BoundOfCell(Situation(cell));
      // Cut at where nothing runs, so that idle time is exact.
      int64_t now_ns = grid_.begin_ns(cell);
      while (now_ns < grid_.end_ns(cell)) {
        while (step + 1 < units_.steps.size() && units_.steps[step + 1].time_ns <= now_ns) ++step;
        const int64_t next_ns = std::min(grid_.end_ns(cell), step + 1 < units_.steps.size()
                                                                 ? units_.steps[step + 1].time_ns
                                                                 : grid_.end_ns(cell));
        Append(units_.steps[step].running == 0 ? Bound::kIdle : bound, now_ns, next_ns, out);
        now_ns = next_ns;
      }
    }
    return out;
  }

 private:
  static void Append(Bound bound, int64_t begin_ns, int64_t end_ns, Bounds& out) {
    out.total_ns[static_cast<size_t>(bound)] += end_ns - begin_ns;
    if (!out.intervals.empty() && out.intervals.back().bound == bound) {
      out.intervals.back().end_ns = end_ns;
    } else {
      out.intervals.push_back({bound, begin_ns, end_ns});
    }
  }

  void MeasurePhases() {
    std::vector<TimeSpent> spent(kPhases, TimeSpent(grid_));
    ForEachPhase(trace_, units_.build,
                 [&](Phase phase, int64_t begin_ns, int64_t end_ns, traces::Row) {
                   spent[static_cast<size_t>(phase)].Add(begin_ns, end_ns);
                 });
    TimeSpent all(grid_);
    for (const Unit& unit : units_.all) all.Add(unit.start_ns, unit.end_ns);
    TimeSpent idle(grid_);
    for (size_t k = 0; k + 1 < units_.steps.size(); ++k) {
      if (units_.steps[k].running == 0) {
        idle.Add(units_.steps[k].time_ns, units_.steps[k + 1].time_ns);
      }
    }
    for (const TimeSpent& phase : spent) phases_.push_back(phase.Mean());
    running_ = all.Mean();
    idle_ = idle.Mean();
  }

  CellSituation Situation(size_t cell) const {
    CellSituation out;
    out.busy_share = 1 - idle_[cell];
    if (out.busy_share <= 0) return out;
    for (size_t phase = 0; phase < kPhases; ++phase) {
      out.phases[phase] = phases_[phase][cell] / out.busy_share;
    }
    out.running = running_[cell] / out.busy_share;
    out.all_slots_taken = slots_.AllTaken(out.running);
    out.cpu_busy = load_.cpu_busy[cell];
    out.cpus = load_.cpus;
    out.transfers = &transfers_;
    const int64_t middle_ns = grid_.begin_ns(cell) + grid_.length_ns(cell) / 2;
    const auto next =
        std::lower_bound(units_.all.begin(), units_.all.end(), middle_ns,
                         [](const Unit& unit, int64_t time) { return unit.start_ns < time; });
    if (next != units_.all.end()) {
      out.next = links_.Before(static_cast<uint32_t>(next - units_.all.begin())).kind;
    }
    return out;
  }

  const traces::Columns& trace_;
  const Units& units_;
  const JobSlots& slots_;
  const BuildLinks links_;
  const TimeGrid grid_;
  const HostLoad load_;
  const Transfers transfers_;
  std::vector<std::vector<double>> phases_;
  std::vector<double> running_;
  std::vector<double> idle_;
};

// The bound that has most of each column.
std::string Strip(const Bounds& bounds, size_t columns) {
  const TimeGrid grid(bounds.intervals.front().begin_ns, bounds.intervals.back().end_ns,
                      static_cast<int64_t>(columns), 1);
  std::string strip;
  size_t i = 0;
  for (size_t cell = 0; cell < grid.size(); ++cell) {
    std::array<int64_t, kBounds> ns = {};
    while (i < bounds.intervals.size()) {
      const BoundInterval& interval = bounds.intervals[i];
      const int64_t from_ns = std::max(interval.begin_ns, grid.begin_ns(cell));
      const int64_t to_ns = std::min(interval.end_ns, grid.end_ns(cell));
      if (to_ns > from_ns) ns[static_cast<size_t>(interval.bound)] += to_ns - from_ns;
      if (interval.end_ns > grid.end_ns(cell)) break;
      ++i;
    }
    strip += kMarks[std::max_element(ns.begin(), ns.end()) - ns.begin()];
  }
  return strip;
}

}  // namespace

const char* BoundName(Bound bound) {
  constexpr std::array<const char*, kBounds> kNames = {
      "slots", "workers", "cold-starts", "uplink",       "downlink", "store", "transit",
      "fill",  "retries", "cpu",         "dependencies", "tail",     "make",  "idle"};
  return kNames[static_cast<size_t>(bound)];
}

const char* BoundText(Bound bound) {
  constexpr std::array<const char*, kBounds> kTexts = {
      "job slots: all taken, all compiling",
      "function concurrency: waiting for workers",
      "cold starts",
      "uplink: bytes on their way up",
      "downlink: bytes on their way down",
      "store: latency of its requests",
      "transit: invocations on their way",
      "first fill of store and workers",
      "retries: attempts that failed",
      "local CPU",
      "dependencies: what is left needs what runs",
      "tail: the last units",
      "make: slots free, nothing known to wait for",
      "idle: no unit runs"};
  return kTexts[static_cast<size_t>(bound)];
}

TimeGrid BoundGrid(const Units& units) {
  return TimeGrid(units.start_ns, units.end_ns, kCells, kLeastCellNs);
}

Bounds FindBounds(const traces::Columns& trace, const Units& units, const BuildGraph& graph,
                  const JobSlots& slots) {
  if (units.steps.empty()) return {};
  return BoundFinder(trace, units, graph, slots).Find();
}

std::string FormatBounds(const Bounds& bounds, size_t columns) {
  std::string out;
  if (bounds.intervals.empty()) return out;
  const int64_t wall_ns = bounds.intervals.back().end_ns - bounds.intervals.front().begin_ns;
  std::vector<size_t> order;
  for (size_t i = 0; i < kBounds; ++i) {
    if (bounds.total_ns[i] > 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return bounds.total_ns[a] > bounds.total_ns[b]; });
  out = "what bounded the build\n";
  for (const size_t i : order) {
    const double share =
        static_cast<double>(bounds.total_ns[i]) * 100 / static_cast<double>(wall_ns);
    const std::string line = PadLeft(FormatDuration(bounds.total_ns[i]), 12) +
                             PadLeft(FormatFixed(share, 1) + " %", 8) + "  " + kMarks[i] + "  ";
    out += WithName(line, BoundText(static_cast<Bound>(i)), columns) + "\n";
  }
  const size_t strip = std::min(kStripColumns, columns - kStripIndent - 2);
  out += std::string(kStripIndent, ' ') + "|" + Strip(bounds, strip) + "|\n";
  return out;
}

}  // namespace llama::analysis
