#include "analysis/compare/compare.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "analysis/compare/compare_units.h"
#include "analysis/units/phase_table.h"
#include "traces/columns/numbers.h"
#include "traces/columns/percentile.h"

namespace llama::analysis {
namespace {

std::optional<std::vector<int64_t>> ValuesOf(const Side& side, size_t figure) {
  std::vector<int64_t> values;
  for (const BuildProfile& build : side) {
    if (!build.figures[figure].value) return std::nullopt;
    values.push_back(*build.figures[figure].value);
  }
  return values;
}

Verdict Judge(const std::vector<int64_t>& a, const std::vector<int64_t>& b, double p) {
  const auto all_are = [](const std::vector<int64_t>& values, int64_t value) {
    return std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == value; });
  };
  if (all_are(a, a[0]) && all_are(b, a[0])) return Verdict::kSame;
  if (a.size() == 1 || b.size() == 1) return Verdict::kUnknown;
  if (LeastRankSumP(a.size(), b.size()) >= kLevel) return Verdict::kTooFew;
  if (p >= kLevel) return Verdict::kNoise;
  return ShiftBetween(a, b).median < 0 ? Verdict::kLess : Verdict::kMore;
}

std::vector<FigureDifference> CompareFigures(const Side& a, const Side& b) {
  std::vector<FigureDifference> out;
  for (size_t i = 0; i < a[0].figures.size(); ++i) {
    FigureDifference difference;
    difference.key = a[0].figures[i].key;
    difference.title = a[0].figures[i].title;
    difference.unit = a[0].figures[i].unit;
    const auto of_a = ValuesOf(a, i);
    const auto of_b = ValuesOf(b, i);
    if (of_a) {
      difference.a = Median(*of_a);
      difference.a_interval = IntervalOfMedian(*of_a);
    }
    if (of_b) {
      difference.b = Median(*of_b);
      difference.b_interval = IntervalOfMedian(*of_b);
    }
    if (of_a && of_b) {
      difference.shift = ShiftBetween(*of_a, *of_b);
      difference.p = RankSumP(*of_a, *of_b);
      difference.verdict = Judge(*of_a, *of_b, difference.p);
    }
    out.push_back(difference);
  }
  return out;
}

// Σ of each part over a side's builds, divided by their number. What the division leaves goes to
// the parts by running totals, so that they add up to the total's quotient.
void AddMeans(const std::vector<traces::WideInt>& sums, size_t builds,
              int64_t PartDifference::*mean, Decomposition& out, int64_t& total) {
  traces::WideInt running = 0;
  traces::WideInt given = 0;
  for (size_t i = 0; i < sums.size(); ++i) {
    running += sums[i];
    const traces::WideInt upto = running / static_cast<traces::WideInt>(builds);
    out.parts[i].*mean = static_cast<int64_t>(std::min<traces::WideInt>(upto - given, INT64_MAX));
    given = upto;
  }
  total = 0;
  for (const PartDifference& part : out.parts) total = traces::AddUp(total, part.*mean);
}

// `parts_of(build, f)` calls f(name, ns) for each part of a build.
template <typename PartsOf>
Decomposition Decompose(const Side& a, const Side& b, PartsOf&& parts_of) {
  std::map<std::string, std::array<traces::WideInt, 2>> sums;
  for (int side = 0; side < 2; ++side) {
    for (const BuildProfile& build : side == 0 ? a : b) {
      parts_of(build, [&](const std::string& name, int64_t ns) {
        sums[name][static_cast<size_t>(side)] += ns;
      });
    }
  }
  Decomposition out;
  std::vector<traces::WideInt> of_a;
  std::vector<traces::WideInt> of_b;
  for (const auto& [name, sum] : sums) {
    out.parts.push_back({name, 0, 0});
    of_a.push_back(sum[0]);
    of_b.push_back(sum[1]);
  }
  AddMeans(of_a, a.size(), &PartDifference::a_ns, out, out.a_ns);
  AddMeans(of_b, b.size(), &PartDifference::b_ns, out, out.b_ns);
  std::erase_if(out.parts, [](const auto& part) { return part.a_ns == 0 && part.b_ns == 0; });
  std::stable_sort(out.parts.begin(), out.parts.end(), [](const auto& x, const auto& y) {
    return std::abs(x.delta_ns()) > std::abs(y.delta_ns());
  });
  return out;
}

std::vector<int64_t> DurationsOf(const Side& side, const std::string& name) {
  std::vector<int64_t> all;
  for (const BuildProfile& build : side) {
    for (const PhaseDurations& phase : build.durations) {
      if (phase.name == name) all.insert(all.end(), phase.ns.begin(), phase.ns.end());
    }
  }
  return all;
}

// Bounds 1, 2, 5, 10, … up to the first above the largest value, from the last not above the
// smallest.
std::vector<int64_t> BucketBounds(int64_t least, int64_t most) {
  std::vector<int64_t> bounds;
  for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10) {
    for (const int64_t step : {1, 2, 5}) {
      const int64_t bound = power * step;
      if (bound <= least) continue;
      bounds.push_back(bound);
      if (bound > most) return bounds;
    }
  }
  bounds.push_back(INT64_MAX);
  return bounds;
}

Distribution::Of Distribute(std::vector<int64_t> values, const std::vector<int64_t>& bounds) {
  Distribution::Of out;
  out.count = values.size();
  out.histogram.assign(bounds.size(), 0);
  for (const int64_t value : values) {
    const auto bucket = std::upper_bound(bounds.begin(), bounds.end() - 1, value);
    ++out.histogram[static_cast<size_t>(bucket - bounds.begin())];
  }
  if (values.empty()) return out;
  out.p50_ns = traces::Percentile(values, 50);
  out.p95_ns = traces::Percentile(values, 95);
  out.p99_ns = traces::Percentile(values, 99);
  return out;
}

Distribution CompareNamed(const Side& a, const Side& b, const std::string& name) {
  std::vector<int64_t> of_a = DurationsOf(a, name);
  std::vector<int64_t> of_b = DurationsOf(b, name);
  int64_t least = INT64_MAX;
  int64_t most = 0;
  for (const auto* values : {&of_a, &of_b}) {
    for (const int64_t value : *values) {
      least = std::min(least, value);
      most = std::max(most, value);
    }
  }
  Distribution distribution;
  distribution.name = name;
  distribution.bounds_ns = BucketBounds(least, most);
  distribution.a = Distribute(std::move(of_a), distribution.bounds_ns);
  distribution.b = Distribute(std::move(of_b), distribution.bounds_ns);
  return distribution;
}

std::vector<Distribution> CompareDistributions(const Side& a, const Side& b) {
  std::set<std::string> names;
  for (const Side* side : {&a, &b}) {
    for (const BuildProfile& build : *side) {
      for (const PhaseDurations& phase : build.durations) names.insert(phase.name);
    }
  }
  std::vector<std::string> order(names.begin(), names.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& x, const auto& y) {
    const auto place = [](const std::string& name) {
      return name == "unit" ? -1 : PlaceOfPhase(name).order;
    };
    return place(x) < place(y);
  });
  std::vector<Distribution> out(order.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < order.size(); i = next++) out[i] = CompareNamed(a, b, order[i]);
  };
  std::thread other(work);  // millions of values to sort
  work();
  other.join();
  std::erase_if(out, [](const auto& of) { return of.a.count == 0 && of.b.count == 0; });
  return out;
}

std::vector<ConfigurationDifference> CompareConfigurations(const Side& a, const Side& b) {
  std::vector<std::string> names;
  std::map<std::string, std::array<std::set<std::string>, 2>> values;
  for (size_t side = 0; side < 2; ++side) {
    for (const BuildProfile& build : side == 0 ? a : b) {
      for (const auto& [name, value] : build.configuration) {
        if (!values.contains(name)) names.push_back(name);
        values[name][side].insert(value);
      }
    }
  }
  std::vector<ConfigurationDifference> out;
  for (const std::string& name : names) {
    const auto& [of_a, of_b] = values[name];
    if (of_a == of_b) continue;
    out.push_back({name, {of_a.begin(), of_a.end()}, {of_b.begin(), of_b.end()}});
  }
  return out;
}

std::vector<Comparison::Name> NamesOf(const Side& side) {
  std::vector<Comparison::Name> out;
  for (const BuildProfile& build : side) {
    out.push_back({build.id, build.name, build.wall_ns, build.finished, build.outcome});
  }
  return out;
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  constexpr std::string_view kNames[] = {"same", "unknown", "too-few", "noise", "less", "more"};
  return kNames[static_cast<size_t>(verdict)];
}

std::string_view UnitChangeName(UnitChange change) {
  constexpr std::string_view kNames[] = {"regressed", "improved", "unchanged", "new", "gone"};
  return kNames[static_cast<size_t>(change)];
}

Comparison Compare(const Side& a, const Side& b) {
  Comparison out;
  out.a = NamesOf(a);
  out.b = NamesOf(b);
  out.figures = CompareFigures(a, b);
  out.wall = Decompose(a, b, [](const BuildProfile& build, auto&& f) {
    for (size_t i = 0; i < kBounds; ++i) f(BoundName(static_cast<Bound>(i)), build.bounds_ns[i]);
  });
  out.work = Decompose(a, b, [](const BuildProfile& build, auto&& f) {
    for (const PhaseTime& phase : build.phases) f(phase.path, phase.self_ns);
  });
  out.units = CompareUnits(a, b);
  out.distributions = CompareDistributions(a, b);
  out.configuration = CompareConfigurations(a, b);
  return out;
}

}  // namespace llama::analysis
