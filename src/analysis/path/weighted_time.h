// Weighted time: each unit's share of the wall clock. While n units run, each of them takes 1/n of
// the time that passes: ∫dt/n(t) over its run. A unit that ran among two hundred others weighs
// little, however long it took; one that everything waited for weighs all of its time. The shares
// of all units add up to the wall clock less the time in which nothing ran, to the nanosecond.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/units/unit_names.h"
#include "analysis/units/units.h"
#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

__extension__ using WideNs = unsigned __int128;

// The wall clock as one unit after another passes it: ∫dt/n(t), from step to step.
class WallShares {
 public:
  // In 2^-kFraction ns: 63 bits of nanoseconds leave room for that.
  static constexpr int kFraction = 60;

  explicit WallShares(const Units& units);  // refers to it
  // Of a unit that ran from one time to the other, within the window; cut to it. Of what did not
  // belong to a unit it says nothing.
  WideNs Fixed(int64_t begin_ns, int64_t end_ns) const;
  double Ns(int64_t begin_ns, int64_t end_ns) const;

 private:
  WideNs PassedUntil(int64_t time_ns) const;

  const Units& units_;
  std::vector<WideNs> passed_;  // by step: until it begins
};

// By the index of Units::all; the sum is wall_ns() − idle_ns. Rounded by running totals, so each is
// within a nanosecond of its exact share.
std::vector<int64_t> WeightedTimes(const Units& units);

// The heaviest units as a table, at most `count`; empty where there are none.
std::string FormatWeighted(const UnitNames& names, const Units& units,
                           const std::vector<int64_t>& weighted, size_t count,
                           size_t columns = kTextColumns);

}  // namespace llama::analysis
