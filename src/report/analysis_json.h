// The analyses for programs (docs/report.md, "The analyses as JSON"): keys into an object that is
// open.
#pragma once

#include "analysis/findings/findings.h"
#include "traces/columns/columns.h"

namespace llama {
class JsonWriter;
}

namespace llama::report {

// "findings", "bounds", "critical_path", "parallelism", "weighted", "job_slots".
void WriteAnalysis(JsonWriter& json, const traces::Columns& trace,
                   const analysis::Analysis& analysis);

}  // namespace llama::report
