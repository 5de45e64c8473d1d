// Report: everything that `llama report` says of one build, computed here and only then shown, so
// that text, JSON and whatever else shows it agree. docs/report.md is its manual.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/findings/findings.h"
#include "analysis/resources/summary.h"
#include "analysis/resources/use_table.h"
#include "analysis/resources/workers.h"
#include "base/result.h"
#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama::report {

struct Report {
  analysis::Summary summary;
  analysis::Analysis analysis;
  std::vector<analysis::UseRow> use;
  analysis::Workers workers;
};

Report MakeReport(const traces::Columns& trace, analysis::GraphSources graph = {});

// The parts of the text, in their order.
enum class Section : uint8_t {
  kFindings,
  kBounding,
  kOverview,
  kByPhase,
  kSlowest,
  kPath,
  kWeighted,
  kParallelism,
  kUse,
  kWorkers,
  kCost,
  kLocal,
  kReading,  // what the loader could not read; said in any case if it is something
};
inline constexpr std::array<std::string_view, 13> kSectionNames = {
    "findings",    "bounds", "overview", "phases", "slowest", "path",   "weighted",
    "parallelism", "use",    "workers",  "cost",   "local",   "reading"};

// "use", "use,workers"; kInvalid names what there is.
Result<std::vector<Section>> ParseSections(std::string_view names);

// For people: at most 100 columns where the names allow, control characters replaced. All sections
// if none are named.
std::string FormatReport(const traces::Columns& trace, const Report& report, const TextStyle& style,
                         const std::vector<Section>& sections = {});
// What `llama build` shows at its end: the key figures, the first findings, and where to go on.
std::string FormatShort(const Report& report, const TextStyle& style);
// One JSON object, with a newline at its end (docs/report.md, "As JSON").
std::string FormatReportJson(const traces::Columns& trace, const Report& report);

}  // namespace llama::report
