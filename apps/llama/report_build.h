// What `llama build` and `llama report` share.
#pragma once

#include <string>

#include "base/result.h"
#include "report/summary.h"

namespace llama::app {

// Of the trace in the folder of a build; what an unfinished trace does not say comes from the
// build's record.
Result<report::Summary> SummariseBuild(const std::string& build_dir);

// A terminal that has not been told otherwise (https://no-color.org).
bool WantsColor(int fd);

}  // namespace llama::app
