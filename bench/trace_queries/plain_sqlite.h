// The plain way to have spans in SQL: a SQLite table with a row a span, its fields as JSON, and
// indexes on what is asked for.
#pragma once

#include <memory>
#include <string>

#include "traces/columns/columns.h"

struct sqlite3;

namespace llama::bench {

class PlainSqlite {
 public:
  // Null, with what is wrong on stderr, if it can't be.
  static std::unique_ptr<PlainSqlite> Import(const traces::Columns& columns,
                                             const std::string& path);
  ~PlainSqlite();
  bool Run(const std::string& sql);

 private:
  bool Fill(const traces::Columns& columns);
  sqlite3* connection_ = nullptr;
};

}  // namespace llama::bench
