#include "analysis/path/weighted_time.h"

#include <algorithm>
#include <numeric>

#include "base/text/format.h"
#include "base/text/text_writer.h"

namespace llama::analysis {

// passed_[k]: what a unit that ran all the time would have gathered until step k.
WallShares::WallShares(const Units& units) : units_(units), passed_(units.steps.size(), 0) {
  for (size_t k = 1; k < units.steps.size(); ++k) {
    const RunningStep& step = units.steps[k - 1];
    const WideNs length = static_cast<WideNs>(units.steps[k].time_ns - step.time_ns) << kFraction;
    passed_[k] = passed_[k - 1] + (step.running == 0 ? 0 : length / step.running);
  }
}

WideNs WallShares::PassedUntil(int64_t time_ns) const {
  const auto after =
      std::upper_bound(units_.steps.begin(), units_.steps.end(), time_ns,
                       [](int64_t time, const RunningStep& step) { return time < step.time_ns; });
  const auto k = static_cast<size_t>(after - units_.steps.begin()) - 1;
  const RunningStep& step = units_.steps[k];
  if (step.running == 0) return passed_[k];
  const WideNs length = static_cast<WideNs>(time_ns - step.time_ns) << kFraction;
  return passed_[k] + length / step.running;
}

WideNs WallShares::Fixed(int64_t begin_ns, int64_t end_ns) const {
  begin_ns = std::max(begin_ns, units_.start_ns);
  end_ns = std::min(end_ns, units_.end_ns);
  if (units_.steps.empty() || begin_ns >= end_ns) return 0;
  return PassedUntil(end_ns) - PassedUntil(begin_ns);
}

double WallShares::Ns(int64_t begin_ns, int64_t end_ns) const {
  return static_cast<double>(Fixed(begin_ns, end_ns)) / static_cast<double>(WideNs{1} << kFraction);
}

std::vector<int64_t> WeightedTimes(const Units& units) {
  std::vector<int64_t> out(units.all.size(), 0);
  if (units.steps.empty() || out.empty()) return out;
  const WallShares shares(units);
  const auto total = static_cast<WideNs>(units.wall_ns() - units.idle_ns);
  constexpr WideNs kHalf = WideNs{1} << (WallShares::kFraction - 1);
  WideNs sum = 0;
  WideNs given = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    sum += shares.Fixed(units.all[i].start_ns, units.all[i].end_ns);
    WideNs rounded = (sum + kHalf) >> WallShares::kFraction;
    if (i + 1 == out.size()) rounded = total;
    rounded = std::clamp(rounded, given, total);
    out[i] = static_cast<int64_t>(rounded - given);
    given = rounded;
  }
  return out;
}

std::string FormatWeighted(const UnitNames& names, const Units& units,
                           const std::vector<int64_t>& weighted, size_t count, size_t columns) {
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
    const std::string line = PadLeft(FormatDuration(weighted[order[i]]), 12) +
                             PadLeft(FormatFixed(share, 1) + " %", 8) + "  of " +
                             PadLeft(FormatDuration(unit.duration_ns()), 9) +
                             (unit.remote ? "  remote  " : "  local   ");
    out += WithName(line, names.Of(unit.row), columns) + "\n";
  }
  return out;
}

}  // namespace llama::analysis
