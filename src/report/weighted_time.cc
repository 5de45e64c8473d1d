#include "report/weighted_time.h"

#include <algorithm>
#include <numeric>

#include "report/format.h"

namespace llama::report {
namespace {

__extension__ using Wide = unsigned __int128;
// Shares in 2^-60 ns: 63 bits of nanoseconds leave room for that.
constexpr int kFraction = 60;

}  // namespace

std::vector<int64_t> WeightedTimes(const Units& units) {
  std::vector<int64_t> out(units.all.size(), 0);
  if (units.steps.empty() || out.empty()) return out;
  // passed[k]: what a unit that ran all the time would have gathered until step k.
  std::vector<Wide> passed(units.steps.size(), 0);
  for (size_t k = 1; k < units.steps.size(); ++k) {
    const RunningStep& step = units.steps[k - 1];
    const Wide length = static_cast<Wide>(units.steps[k].time_ns - step.time_ns) << kFraction;
    passed[k] = passed[k - 1] + (step.running == 0 ? 0 : length / step.running);
  }
  const auto passed_until = [&](int64_t time_ns) {
    const auto after =
        std::upper_bound(units.steps.begin(), units.steps.end(), time_ns,
                         [](int64_t time, const RunningStep& step) { return time < step.time_ns; });
    const auto k = static_cast<size_t>(after - units.steps.begin()) - 1;
    const RunningStep& step = units.steps[k];
    if (step.running == 0) return passed[k];
    const Wide length = static_cast<Wide>(time_ns - step.time_ns) << kFraction;
    return passed[k] + length / step.running;
  };
  const auto total = static_cast<Wide>(units.wall_ns() - units.idle_ns);
  Wide sum = 0;
  Wide given = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    sum += passed_until(units.all[i].end_ns) - passed_until(units.all[i].start_ns);
    Wide rounded = (sum + (Wide{1} << (kFraction - 1))) >> kFraction;
    if (i + 1 == out.size()) rounded = total;
    rounded = std::clamp(rounded, given, total);
    out[i] = static_cast<int64_t>(rounded - given);
    given = rounded;
  }
  return out;
}

std::string FormatWeighted(const Columns& trace, const Units& units,
                           const std::vector<int64_t>& weighted, size_t count) {
  std::vector<size_t> order(units.all.size());
  std::iota(order.begin(), order.end(), size_t{0});
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](size_t a, size_t b) {
                      return weighted[a] != weighted[b] ? weighted[a] > weighted[b] : a < b;
                    });
  std::string out;
  if (count == 0 || units.wall_ns() <= 0) return out;
  out = "heaviest units (share of the wall clock)\n";
  for (size_t i = 0; i < count; ++i) {
    const Unit& unit = units.all[order[i]];
    const double share =
        static_cast<double>(weighted[order[i]]) * 100 / static_cast<double>(units.wall_ns());
    out +=
        PadLeft(FormatDuration(weighted[order[i]]), 12) + PadLeft(FormatFixed(share, 1) + " %", 8) +
        "  of " + PadLeft(FormatDuration(unit.duration_ns()), 9) +
        (unit.remote ? "  remote  " : "  local   ") + Printable(UnitLabel(trace, unit.row)) + "\n";
  }
  return out;
}

}  // namespace llama::report
