#include "analysis/compare/compare_units.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

// Below this a change is none, whatever its factor: a scheduler's whim costs as much.
constexpr int64_t kLeastChangeNs = 10'000'000;
constexpr double kLeastFactor = 1.1;
// Of median absolute deviations that a change has to stand out by; 1.4826 of them are a standard
// deviation, where noise is normal.
constexpr double kDeviations = 3 * 1.4826;

// The same unit in all builds.
struct Joined {
  const UnitProfile* first = nullptr;
  const UnitProfile* in_a = nullptr;  // in the first of the side's builds that have it
  const UnitProfile* in_b = nullptr;
  std::vector<int64_t> a_ns;
  std::vector<int64_t> b_ns;
};

struct Key {
  std::string_view name;
  uint32_t ordinal;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  size_t operator()(const Key& key) const {
    return std::hash<std::string_view>()(key.name) * 31 + key.ordinal;
  }
};

std::vector<Joined> Join(const Side& a, const Side& b) {
  std::vector<Joined> joined;
  std::unordered_map<Key, size_t, KeyHash> known;
  known.reserve(a[0].units.size() + b[0].units.size());
  for (int side = 0; side < 2; ++side) {
    for (const BuildProfile& build : side == 0 ? a : b) {
      for (const UnitProfile& unit : build.units) {
        const auto [it, is_new] = known.try_emplace({unit.name, unit.ordinal}, joined.size());
        if (is_new) joined.emplace_back().first = &unit;
        Joined& row = joined[it->second];
        (side == 0 ? row.a_ns : row.b_ns).push_back(unit.duration_ns);
        const UnitProfile*& example = side == 0 ? row.in_a : row.in_b;
        if (example == nullptr) example = &unit;
      }
    }
  }
  return joined;
}

double LogFactor(const UnitDifference& unit) {
  const auto ns = [](int64_t value) { return static_cast<double>(std::max<int64_t>(1, value)); };
  return std::log(ns(*unit.b_ns) / ns(*unit.a_ns));
}

// How much units usually differ between the sides, as a logarithm.
double Threshold(const std::vector<UnitDifference>& units) {
  std::vector<double> factors;
  for (const UnitDifference& unit : units) {
    if (unit.a_ns && unit.b_ns) factors.push_back(LogFactor(unit));
  }
  if (factors.empty()) return std::log(kLeastFactor);
  const auto middle = factors.begin() + (std::ssize(factors) - 1) / 2;
  std::nth_element(factors.begin(), middle, factors.end());
  const double median = *middle;
  for (double& factor : factors) factor = std::abs(factor - median);
  std::nth_element(factors.begin(), middle, factors.end());
  return std::max(std::log(kLeastFactor), kDeviations * *middle);
}

UnitChange ChangeOf(const UnitDifference& unit, double threshold) {
  if (!unit.a_ns) return UnitChange::kNew;
  if (!unit.b_ns) return UnitChange::kGone;
  if (std::abs(unit.delta_ns()) < kLeastChangeNs) return UnitChange::kUnchanged;
  const double factor = LogFactor(unit);
  if (std::abs(factor) < threshold) return UnitChange::kUnchanged;
  return factor > 0 ? UnitChange::kRegressed : UnitChange::kImproved;
}

}  // namespace

UnitsDifference CompareUnits(const Side& a, const Side& b) {
  UnitsDifference out;
  for (Joined& row : Join(a, b)) {
    UnitDifference& unit = out.all.emplace_back();
    unit.name = row.first->name;
    unit.ordinal = row.first->ordinal;
    if (!row.a_ns.empty()) unit.a_ns = Median(std::move(row.a_ns));
    if (!row.b_ns.empty()) unit.b_ns = Median(std::move(row.b_ns));
    unit.a_remote = row.in_a != nullptr && row.in_a->remote;
    unit.b_remote = row.in_b != nullptr && row.in_b->remote;
    const bool longer_in_b = row.in_a == nullptr || (row.in_b != nullptr && unit.delta_ns() > 0);
    unit.mostly = (longer_in_b ? row.in_b : row.in_a)->mostly;
  }
  const double threshold = Threshold(out.all);
  out.threshold = std::exp(threshold);
  for (UnitDifference& unit : out.all) {
    unit.change = ChangeOf(unit, threshold);
    const auto change = static_cast<size_t>(unit.change);
    ++out.counts[change];
    out.delta_ns[change] = traces::AddUp(out.delta_ns[change], unit.delta_ns());
    out.total_delta_ns = traces::AddUp(out.total_delta_ns, unit.delta_ns());
  }
  std::stable_sort(out.all.begin(), out.all.end(), [](const auto& x, const auto& y) {
    return std::abs(x.delta_ns()) > std::abs(y.delta_ns());
  });
  return out;
}

}  // namespace llama::analysis
