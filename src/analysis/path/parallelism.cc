#include "analysis/path/parallelism.h"

#include <algorithm>
#include <cmath>

#include "analysis/units/phase_intervals.h"
#include "analysis/units/time_grid.h"
#include "base/text/format.h"

namespace llama::analysis {
namespace {

constexpr int kRows = 8;
constexpr size_t kChartIndent = 10;

void CountQuarters(const Units& units, Parallelism& out) {
  double unit_ns = 0;
  for (size_t k = 0; k + 1 < units.steps.size(); ++k) {
    const uint64_t running = units.steps[k].running;
    const int64_t length_ns = units.steps[k + 1].time_ns - units.steps[k].time_ns;
    if (running == 0) continue;
    unit_ns += static_cast<double>(running) * static_cast<double>(length_ns);
    const uint64_t quarter = (running * 4 - 1) / std::max<uint64_t>(1, units.peak);
    out.quarter_ns[std::min<uint64_t>(quarter, 3)] += length_ns;
  }
  if (units.wall_ns() > 0) out.mean = unit_ns / static_cast<double>(units.wall_ns());
}

// Which character stands for a cell in a row of the chart: what most of the units did that it is
// about; the lowest rows are those of the invocations.
char Mark(const ParallelismCell& cell, double from, double row) {
  if (cell.units <= from + row * 0.25 && !(from == 0 && cell.units > 0)) return ' ';
  const double middle = from + row * 0.5;
  if (middle <= cell.remote) return '#';
  if (middle <= cell.remote + cell.local) return 'l';
  if (middle <= cell.remote + cell.local + cell.waiting) return 'w';
  return from == 0 && cell.remote > 0 ? '#' : '.';
}

// Neighbours together, so that there are `most` at most.
std::vector<ParallelismCell> Merge(const std::vector<ParallelismCell>& cells, size_t most) {
  const size_t together = (cells.size() + most - 1) / most;
  std::vector<ParallelismCell> out;
  for (size_t i = 0; i < cells.size(); i += together) {
    const size_t end = std::min(i + together, cells.size());
    ParallelismCell& sum = out.emplace_back();
    for (size_t k = i; k < end; ++k) {
      const double share = 1 / static_cast<double>(end - i);
      sum.units += cells[k].units * share;
      sum.remote += cells[k].remote * share;
      sum.local += cells[k].local * share;
      sum.waiting += cells[k].waiting * share;
    }
    sum.begin_ns = cells[i].begin_ns;
    sum.end_ns = cells[end - 1].end_ns;
  }
  return out;
}

}  // namespace

Parallelism MeasureParallelism(const traces::Columns& trace, const Units& units, int64_t cells) {
  Parallelism out;
  out.peak = units.peak;
  out.idle_ns = units.idle_ns;
  out.busy_ns = units.wall_ns() - units.idle_ns;
  CountQuarters(units, out);
  const TimeGrid grid(units.start_ns, units.end_ns, std::max<int64_t>(1, cells), 1);
  if (grid.size() == 0) return out;
  TimeSpent all(grid);
  TimeSpent remote(grid);
  TimeSpent local(grid);
  TimeSpent waiting(grid);
  for (const Unit& unit : units.all) all.Add(unit.start_ns, unit.end_ns);
  ForEachPhase(trace, units.build, [&](Phase phase, int64_t begin_ns, int64_t end_ns, traces::Row) {
    if (phase == Phase::kLocal || phase == Phase::kLocalMeanwhile) local.Add(begin_ns, end_ns);
    if (IsRemote(phase)) remote.Add(begin_ns, end_ns);
    if (phase == Phase::kLocalQueue || phase == Phase::kWorkerQueue) waiting.Add(begin_ns, end_ns);
  });
  const auto all_means = all.Mean();
  const auto remote_means = remote.Mean();
  const auto local_means = local.Mean();
  const auto waiting_means = waiting.Mean();
  for (size_t i = 0; i < grid.size(); ++i) {
    out.cells.push_back({grid.begin_ns(i), grid.end_ns(i), all_means[i], remote_means[i],
                         local_means[i], waiting_means[i]});
  }
  return out;
}

std::string FormatParallelism(const Parallelism& parallelism, size_t columns) {
  if (parallelism.cells.empty() || parallelism.busy_ns <= 0) return "";
  const std::vector<ParallelismCell> cells = Merge(parallelism.cells, columns - kChartIndent);
  double most = 0;
  for (const ParallelismCell& cell : cells) most = std::max(most, cell.units);
  const double row = std::max(most, 1.0) / kRows;
  std::string out = "units under way (" + FormatCount(parallelism.peak) + " at most, " +
                    FormatFixed(parallelism.mean, 1) + " on average)\n";
  for (int r = kRows - 1; r >= 0; --r) {
    const double from = row * r;
    std::string line = PadLeft(FormatFixed(from + row, from + row < 10 ? 1 : 0), 8) + " |";
    for (const ParallelismCell& cell : cells) line += Mark(cell, from, row);
    while (line.back() == ' ') line.pop_back();
    out += line + "\n";
  }
  const int64_t wall_ns = parallelism.busy_ns + parallelism.idle_ns;
  const std::string end = FormatDuration(wall_ns);
  out += PadLeft("0", 8) + " +" + std::string(cells.size(), '-') + "\n";
  out += std::string(kChartIndent, ' ') + "0" +
         PadLeft(end, cells.size() > 1 ? cells.size() - 1 : 1) + "\n";
  constexpr std::string_view kLegend =
      "# with a worker, l compiling here, w waiting for either, . anything else";
  for (const std::string& line : Wrap(kLegend, columns - kChartIndent)) {
    out += std::string(kChartIndent, ' ') + line + "\n";
  }
  return out;
}

}  // namespace llama::analysis
