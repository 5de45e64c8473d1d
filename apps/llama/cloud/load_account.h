// What is said, on stderr, of traces that could not be read whole: the same in every command.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "traces/columns/columns.h"

namespace llama::app {

// Prints what was left out, and why; nothing if nothing was. `names` is what was read, as the user
// calls it ("-" is standard input). kInvalid, with the reason, if there is no span in it at all.
Result<void> AccountForTrace(const traces::Columns& trace, const std::vector<std::string>& names);

// Prints which build of a trace is shown, if there were others (LoadOptions::one_build).
void TellOfBuilds(const traces::Columns& trace, const std::string& name);

}  // namespace llama::app
