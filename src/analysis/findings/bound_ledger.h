// BoundLedger: the wall clock as findings share it out. The bounds cut it into stretches with one
// bound each; what a finding takes of a bound no other can take, so that all of them together cost
// no more than the build took, and what each explains is explained once.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "analysis/path/bounds.h"
#include "analysis/path/weighted_time.h"

namespace llama::analysis {

class BoundLedger {
 public:
  // Nanoseconds, by bound.
  using Times = std::array<double, kBounds>;

  // Refers to both.
  BoundLedger(const Bounds& bounds, const WallShares& shares);

  // Adds to `out` what [begin, end) has of each bound: all of that time, or a unit's share of it.
  void AddTime(int64_t begin_ns, int64_t end_ns, Times& out) const;
  void AddShare(int64_t begin_ns, int64_t end_ns, Times& out) const;

  double Left(Bound bound) const { return left_[static_cast<size_t>(bound)]; }
  // Of what is wanted of these bounds, as much as is left.
  double Available(const Times& wanted, std::initializer_list<Bound> from) const;
  void Take(const Times& wanted, std::initializer_list<Bound> from);
  // `ns` in all, of each bound in proportion to what is left of it.
  Times Spread(double ns, std::initializer_list<Bound> from) const;

 private:
  template <typename F>
  void ForEachPart(int64_t begin_ns, int64_t end_ns, F&& f) const;

  const Bounds& bounds_;
  const WallShares& shares_;
  Times left_ = {};
};

}  // namespace llama::analysis
