#include "analysis/compare/compare_units.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

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

double LogFactor(int64_t a_ns, int64_t b_ns) {
  const auto ns = [](int64_t value) { return static_cast<double>(std::max<int64_t>(1, value)); };
  return std::log(ns(b_ns) / ns(a_ns));
}

double Middle(std::vector<double>& values) {
  const auto middle = values.begin() + (std::ssize(values) - 1) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// By how much the same unit differs from one build of a side to the next, as a logarithm: nothing
// but noise. Appended for all builds of one side.
void AddRepeats(const std::vector<int64_t>& durations_ns, std::vector<double>& out) {
  for (size_t i = 0; i + 1 < durations_ns.size(); ++i) {
    out.push_back(std::abs(LogFactor(durations_ns[i], durations_ns[i + 1])));
  }
}

// What units differ by where nothing has changed, as a logarithm. If builds were repeated, they
// tell. If not, it is how far the factors are spread: around their own median, since all may have
// become faster; but where nearly all have, that spread is of a change, and what shows the noise is
// those that went the other way.
double Threshold(const std::vector<UnitDifference>& units, std::vector<double> repeats) {
  const double least = std::log(kLeastFactor);
  if (!repeats.empty()) return std::max(least, kDeviations * Middle(repeats));
  std::vector<double> factors;
  for (const UnitDifference& unit : units) {
    if (unit.a_ns && unit.b_ns) factors.push_back(LogFactor(*unit.a_ns, *unit.b_ns));
  }
  if (factors.empty()) return least;
  const double median = Middle(factors);
  double back = 0;  // the farthest on the other side of 1 from the median
  for (const double factor : factors) back = std::max(back, median > 0 ? -factor : factor);
  for (double& factor : factors) factor = std::abs(factor - median);
  const double spread = Middle(factors);
  const double noise = kDeviations * spread;
  // Three quarters or more on one side of 1.
  return std::max(least, std::abs(median) > spread ? std::min(noise, back) : noise);
}

UnitChange ChangeOf(const UnitDifference& unit, double threshold) {
  if (!unit.a_ns) return UnitChange::kNew;
  if (!unit.b_ns) return UnitChange::kGone;
  if (std::abs(unit.delta_ns()) < kLeastChangeNs) return UnitChange::kUnchanged;
  const double factor = LogFactor(*unit.a_ns, *unit.b_ns);
  if (std::abs(factor) < threshold) return UnitChange::kUnchanged;
  return factor > 0 ? UnitChange::kRegressed : UnitChange::kImproved;
}

}  // namespace

UnitsDifference CompareUnits(const Side& a, const Side& b) {
  UnitsDifference out;
  std::vector<double> repeats;
  for (Joined& row : Join(a, b)) {
    AddRepeats(row.a_ns, repeats);
    AddRepeats(row.b_ns, repeats);
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
  const double threshold = Threshold(out.all, std::move(repeats));
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
