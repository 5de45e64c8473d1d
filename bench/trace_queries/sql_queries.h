// The queries that people ask of a build, in SQL: over llama's tables, and over the same spans in a
// plain SQLite database and in DuckDB.
#pragma once

#include <string>
#include <vector>

namespace llama::bench {

struct SqlBench {
  std::vector<std::string> build_dirs;  // the last two are the builds that are compared
  bool plain = false;                   // beside plain SQLite
  std::string duckdb;                   // beside this library of DuckDB's
  bool json = false;                    // a line of JSON a query, instead of a table
};

// CPU milliseconds of each query, the best of three; of plain SQLite, which takes its time, of one.
// Gives the exit status.
int RunSqlQueries(const SqlBench& bench);

}  // namespace llama::bench
