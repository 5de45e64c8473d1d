// The finding of a build that was ended before its time.
#include "analysis/findings/rules.h"
#include "analysis/units/phase_intervals.h"
#include "base/text/format.h"
#include "base/text/text_writer.h"
#include "trace/names.h"

namespace llama::analysis {
namespace {

constexpr std::initializer_list<Bound> kAllBounds = {
    Bound::kSlots, Bound::kWorkers, Bound::kColdStarts, Bound::kUplink,       Bound::kDownlink,
    Bound::kStore, Bound::kTransit, Bound::kFill,       Bound::kRetries,      Bound::kCpu,
    Bound::kTail,  Bound::kMake,    Bound::kIdle,       Bound::kDependencies,
};
static_assert(kAllBounds.size() == kBounds);

}  // namespace

// Told before all else, whatever it cost: the rest is of a build that did not come to its end.
void FindInterruption(const RuleInput& in, FindingList& out) {
  const Units& units = in.analysis.units;
  if (!units.build_row || !in.trace.field(trace::field::kInterrupted).TrueAt(*units.build_row)) {
    return;
  }
  const traces::FieldColumn& reason = in.trace.field(trace::field::kReason);
  BoundLedger::Times wanted = {};
  uint64_t cancelled = 0;
  for (const Unit& unit : units.all) {
    const auto why = reason.StringAt(unit.row);
    if (unit.remote || !why || in.trace.text(*why) != kCancelled) continue;
    ++cancelled;
    in.ledger.AddShare(unit.start_ns, unit.end_ns, wanted);
  }
  const double cost_ns = in.ledger.Available(wanted, kAllBounds);
  in.ledger.Take(wanted, kAllBounds);
  Finding& finding = out.Add("interrupted", cost_ns, AsDouble(units.wall_ns()));
  finding.text = "the build was interrupted after " + FormatDuration(units.wall_ns());
  if (cancelled > 0) {
    finding.text += "; " + Plural(cancelled, "compile that was", "compiles that were") +
                    " under way ended nowhere";
  }
  finding.advice = "what is told of it is of its beginning only; see a build that ran to its end";
  finding.evidence = {{"cancelled", static_cast<double>(cancelled)}};
}

}  // namespace llama::analysis
