// The analyses for programs (docs/report.md, "The analyses as JSON"): keys into an object that is
// open.
#pragma once

#include "report/columns.h"
#include "report/findings.h"

namespace llama {
class JsonWriter;
}

namespace llama::report {

// "findings", "bounds", "critical_path", "parallelism", "weighted", "job_slots".
void WriteAnalysis(JsonWriter& json, const Columns& trace, const Analysis& analysis);

}  // namespace llama::report
