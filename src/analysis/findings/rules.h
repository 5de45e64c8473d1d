// The rules that findings come from, each by its own threshold; docs/report.md, "Findings", states
// them. A rule looks at an analysis that has everything but the findings, and adds what it found.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/findings/bound_ledger.h"
#include "analysis/findings/findings.h"
#include "analysis/path/weighted_time.h"
#include "analysis/resources/transfers.h"

namespace llama::analysis {

// Below this share of the wall clock nothing is told.
inline constexpr double kLeastShare = 0.03;

// Columns of a name in a sentence; Finding::subject has all of it.
inline constexpr size_t kShownName = 160;

constexpr double AsDouble(int64_t ns) { return static_cast<double>(ns); }

struct RuleInput {
  const traces::Columns& trace;
  const Analysis& analysis;
  const WallShares& shares;
  const Transfers& transfers;
  BoundLedger& ledger;

  bool IsOfBuild(traces::Row row) const {
    return !analysis.units.build || trace.build()[row] == *analysis.units.build;
  }
};

class FindingList {
 public:
  explicit FindingList(int64_t wall_ns) : wall_ns_(wall_ns) {}

  // Whether so much of the wall clock is worth telling.
  bool IsWorth(double cost_ns, double least_share) const {
    return wall_ns_ > 0 && cost_ns >= least_share * static_cast<double>(wall_ns_);
  }
  // `gain_ns`: if less than the cost could be had.
  Finding& Add(std::string kind, double cost_ns);
  Finding& Add(std::string kind, double cost_ns, double gain_ns);
  // "12 %" of the wall clock.
  std::string Share(double ns) const;
  std::vector<Finding> Take();  // by what could be had, the most first

 private:
  const int64_t wall_ns_;
  std::vector<Finding> all_;
};

// In this order: those that know most of a stretch take it first.
//
// "interrupted": units that were cancelled.
void FindInterruption(const RuleInput& in, FindingList& out);
// Units that others waited for: "slow-unit", "serial-chain".
void FindInPath(const RuleInput& in, FindingList& out);
// Of the network and the functions: "failures", "slow-worker", "uplink", "downlink", "store",
// "transit", "fill", "cold-starts", "workers".
void FindInCloud(const RuleInput& in, FindingList& out);
// Of the build host: "other-builds", "other-programs", "local-runs", "memory", "disk",
// "cpu".
void FindOnHost(const RuleInput& in, FindingList& out);
// What is left to the build system: "make", "slots", "idle".
void FindInBuildSystem(const RuleInput& in, FindingList& out);

// Bounds of times in which units do what they are for, or wait for each other: who did it at what
// cost may be told. In the others they wait for something else, and that is what costs.
inline constexpr std::initializer_list<Bound> kWorkBounds = {
    Bound::kSlots, Bound::kCpu, Bound::kDependencies, Bound::kTail, Bound::kMake};

// A reason for a local run that tells of the cloud's failing, not of the compile.
bool IsFailureReason(std::string_view reason);

}  // namespace llama::analysis
