#include "analysis/findings/bound_ledger.h"

#include <algorithm>

namespace llama::analysis {

BoundLedger::BoundLedger(const Bounds& bounds, const WallShares& shares)
    : bounds_(bounds), shares_(shares) {
  for (size_t i = 0; i < kBounds; ++i) left_[i] = static_cast<double>(bounds.total_ns[i]);
}

template <typename F>
void BoundLedger::ForEachPart(int64_t begin_ns, int64_t end_ns, F&& f) const {
  auto interval = std::upper_bound(
      bounds_.intervals.begin(), bounds_.intervals.end(), begin_ns,
      [](int64_t time, const BoundInterval& other) { return time < other.end_ns; });
  for (; interval != bounds_.intervals.end() && interval->begin_ns < end_ns; ++interval) {
    const int64_t from_ns = std::max(begin_ns, interval->begin_ns);
    const int64_t to_ns = std::min(end_ns, interval->end_ns);
    if (from_ns < to_ns) f(static_cast<size_t>(interval->bound), from_ns, to_ns);
  }
}

void BoundLedger::AddTime(int64_t begin_ns, int64_t end_ns, Times& out) const {
  ForEachPart(begin_ns, end_ns, [&](size_t bound, int64_t from_ns, int64_t to_ns) {
    out[bound] += static_cast<double>(to_ns - from_ns);
  });
}

void BoundLedger::AddShare(int64_t begin_ns, int64_t end_ns, Times& out) const {
  ForEachPart(begin_ns, end_ns, [&](size_t bound, int64_t from_ns, int64_t to_ns) {
    out[bound] += shares_.Ns(from_ns, to_ns);
  });
}

double BoundLedger::Available(const Times& wanted, std::initializer_list<Bound> from) const {
  double ns = 0;
  for (const Bound bound : from) ns += std::min(wanted[static_cast<size_t>(bound)], Left(bound));
  return ns;
}

void BoundLedger::Take(const Times& wanted, std::initializer_list<Bound> from) {
  for (const Bound bound : from) {
    double& left = left_[static_cast<size_t>(bound)];
    left -= std::min(wanted[static_cast<size_t>(bound)], left);
  }
}

BoundLedger::Times BoundLedger::Spread(double ns, std::initializer_list<Bound> from) const {
  Times out = {};
  double left_ns = 0;
  for (const Bound bound : from) left_ns += Left(bound);
  if (left_ns <= 0) return out;
  const double part = std::min(1.0, ns / left_ns);
  for (const Bound bound : from) out[static_cast<size_t>(bound)] = Left(bound) * part;
  return out;
}

}  // namespace llama::analysis
