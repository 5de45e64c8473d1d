// One build of a trace that has several. What a report says is of one build: its figures would be
// impossible if others were counted into them.
#pragma once

#include <string>

#include "base/result.h"
#include "traces/columns/table.h"

namespace llama::traces {

// Leaves out the rows of all builds but `build`, an id or the beginning of one. If that is "":
// `usual`, where it is there; else the last that began. Where spans name builds (global.build_id),
// those are the builds that there are, and if there is only one, all rows are its. Of what
// traces/load/tree.h fills in, only `parent` is still right then: if rows were left out,
// CompleteTree is to be called. Says whether it is. kNotFound and kInvalid name the builds that
// there are.
Result<bool> KeepOneBuild(Table& table, const std::string& build, std::string_view usual);

}  // namespace llama::traces
