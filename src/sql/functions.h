// The aggregates that `llama sql` adds to SQLite's (docs/sql.md, "Functions"): percentile(x, p),
// p50(x), p95(x), p99(x), percentiles(x, p…), histogram(x [, width]). Nulls and what is no number
// are left out.
#pragma once

#include <sqlite3.h>

#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::sql {

Result<void> AddFunctions(sqlite3* connection);

// How each is called, for help and completion: "percentile(x, p)".
const std::vector<std::string_view>& FunctionCalls();

}  // namespace llama::sql
