// The queries that people ask of a build, in SQL: over llama's tables, and over the same spans in a
// plain SQLite database (a row a span, its fields as JSON, indexes on name and parent).
#pragma once

#include <string>
#include <vector>

namespace llama::bench {

// `trace_queries sql DIR...`: the last two are the builds that are compared. Prints a line of JSON
// a query: CPU milliseconds here and there (the best of three, and of one), and the ratio; or only
// here, without `plain`. Gives the exit status.
int RunSqlQueries(const std::vector<std::string>& build_dirs, bool plain);

}  // namespace llama::bench
