// A SqlTable as a virtual table of a SQLite connection (https://sqlite.org/vtab.html): read-only,
// there without having been created, under one name.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "sql/table.h"

namespace llama::sql {

// The connection owns the table from then on.
Result<void> AddTable(sqlite3* connection, const std::string& name,
                      std::unique_ptr<SqlTable> table);

}  // namespace llama::sql
