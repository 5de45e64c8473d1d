#include "analysis/findings/findings.h"

#include <algorithm>

#include "analysis/findings/rules.h"
#include "base/text/format.h"
#include "base/text/text_writer.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

constexpr size_t kIndent = 4;

void AppendWrapped(std::string_view text, size_t columns, std::string& out) {
  for (const std::string& line : Wrap(text, columns - kIndent)) {
    out.append(kIndent, ' ').append(line).append("\n");
  }
}

// There is nothing to look at, but saying nothing would call the build sound.
void AddNoUnits(const traces::Columns& trace, const Units& units, FindingList& list) {
  Finding& finding = list.Add("no-units", static_cast<double>(units.wall_ns()));
  finding.evidence = {{"units", 0}};
  finding.text = "no compile ran through llama in these " + FormatDuration(units.wall_ns());
  const std::string compiler =
      units.build_row
          ? traces::TextAt(trace, trace.field(trace::field::kUnseenCompiler), *units.build_row)
          : "";
  if (compiler.empty()) {
    finding.advice =
        "if there was something to compile: is the compiler llamacc (CC=llamacc CXX=llamac++, and "
        "configured with it)? 'llama doctor' checks the rest";
    return;
  }
  finding.subject = compiler;
  finding.text += ", since the build called " + CutFront(compiler, kShownName) + " by its path";
  finding.advice =
      "configure it with llamacc: a CMake tree by 'cmake -DCMAKE_C_COMPILER_LAUNCHER=llamacc "
      "-DCMAKE_CXX_COMPILER_LAUNCHER=llamacc DIR', once; others with CC=llamacc CXX=llamac++, or "
      "with the compiler's name alone";
}

}  // namespace

Finding& FindingList::Add(std::string kind, double cost_ns) {
  return Add(std::move(kind), cost_ns, cost_ns);
}

Finding& FindingList::Add(std::string kind, double cost_ns, double gain_ns) {
  Finding& finding = all_.emplace_back();
  finding.kind = std::move(kind);
  finding.gain_ns = traces::WholeOf(std::clamp(gain_ns, 0.0, static_cast<double>(wall_ns_)));
  cost_ns = std::clamp(cost_ns, 0.0, static_cast<double>(wall_ns_));
  finding.cost_ns = traces::WholeOf(cost_ns);
  finding.share = cost_ns / static_cast<double>(wall_ns_);
  return finding;
}

std::string FindingList::Share(double ns) const {
  return FormatShare(std::min(1.0, ns / static_cast<double>(wall_ns_)));
}

std::vector<Finding> FindingList::Take() {
  std::stable_sort(all_.begin(), all_.end(),
                   [](const Finding& a, const Finding& b) { return a.gain_ns > b.gain_ns; });
  return std::move(all_);
}

std::vector<Finding> FindFindings(const traces::Columns& trace, const Analysis& analysis) {
  FindingList list(analysis.units.wall_ns());
  if (analysis.units.wall_ns() <= 0) return {};
  if (analysis.units.all.empty()) {
    AddNoUnits(trace, analysis.units, list);
    return list.Take();
  }
  const WallShares shares(analysis.units);
  const Transfers transfers = MeasureTransfers(trace, analysis.units);
  BoundLedger ledger(analysis.bounds, shares);
  const RuleInput in = {trace, analysis, shares, transfers, ledger};
  FindInterruption(in, list);
  FindInPath(in, list);
  FindInCloud(in, list);
  FindOnHost(in, list);
  FindInBuildSystem(in, list);
  return list.Take();
}

Analysis Analyse(const traces::Columns& trace, const AnalysisOptions& options) {
  Analysis out;
  out.units = FindUnits(trace, options.build);
  out.names.emplace(trace, options.build);
  out.weighted_ns = WeightedTimes(out.units);
  out.slots = FindJobSlots(trace, out.units);
  out.graph = FindGraph(trace, out.units, options.graph);
  out.parallelism = MeasureParallelism(trace, out.units, options.chart_columns);
  out.path = FindCriticalPath(out.units, out.graph, out.slots);
  out.bounds = FindBounds(trace, out.units, out.graph, out.slots);
  out.findings = FindFindings(trace, out);
  return out;
}

std::string FormatFindings(const std::vector<Finding>& findings, size_t columns) {
  if (findings.empty()) return "findings: nothing stands out\n";
  columns = std::min(columns, kTextColumns);  // longer lines are harder to read
  std::string out = "findings, by what could be had of the wall time\n";
  for (size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    std::string text = std::to_string(i + 1) + ". " + finding.text;
    if (finding.is_estimate) text += " (an estimate)";
    AppendWrapped(Printable(text), columns, out);
    AppendWrapped("→ " + Printable(finding.advice), columns, out);
  }
  return out;
}

}  // namespace llama::analysis
