// Findings: what cost the build most of its time, in sentences, each with its evidence and with
// what to do about it. Found by the rules of docs/report.md, the costliest first; what is below the
// threshold of its rule is noise, and not told. "Nothing stands out" is an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/graph/build_graph.h"
#include "analysis/path/bounds.h"
#include "analysis/path/critical_path.h"
#include "analysis/path/parallelism.h"
#include "analysis/units/job_slots.h"
#include "analysis/units/unit_names.h"
#include "analysis/units/units.h"
#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

struct Finding {
  // For programs: "slow-unit", "serial-chain", "uplink", "downlink", "store", "transit", "fill",
  // "cold-starts", "workers", "other-builds", "other-programs", "cpu", "memory", "disk", "make",
  // "slots", "idle", "local-runs", "failures", "slow-worker", "interrupted", "no-units".
  std::string kind;
  // Of the wall clock. No two findings have the same of it: all of them together cost no more than
  // the bounds that they are of.
  int64_t cost_ns = 0;
  int64_t gain_ns = 0;       // of that, what could be had at most: the order of findings
  bool is_estimate = false;  // the cost is a guess; else it was measured
  double share = 0;          // of it, 0 to 1
  std::string text;          // one sentence with the numbers
  std::string advice;        // what to do next
  // The numbers by name; those that end in _ns are durations.
  std::vector<std::pair<std::string, double>> evidence;
  // The file that it is about, if it is about one.
  std::string subject;
};

// Everything that explains a build, from the same units in the same window.
struct Analysis {
  Units units;
  std::optional<UnitNames> names;    // once it has been made
  std::vector<int64_t> weighted_ns;  // analysis/path/weighted_time.h
  JobSlots slots;
  BuildGraph graph;
  Parallelism parallelism;
  CriticalPath path;
  Bounds bounds;
  std::vector<Finding> findings;
};

struct AnalysisOptions {
  std::optional<uint32_t> build;  // of several, as FindUnits has it
  GraphSources graph;
  int64_t chart_columns = 80;  // of the parallelism
};

Analysis Analyse(const traces::Columns& trace, const AnalysisOptions& options = {});
// Of an analysis that has all the rest.
std::vector<Finding> FindFindings(const traces::Columns& trace, const Analysis& analysis);

// Findings as numbered paragraphs, at most 100 columns wide, or one line that nothing stands out.
std::string FormatFindings(const std::vector<Finding>& findings, size_t columns = kTextColumns);

}  // namespace llama::analysis
