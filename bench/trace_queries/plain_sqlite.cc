#include "plain_sqlite.h"

#include <sqlite3.h>

#include <cstdio>
#include <string_view>

#include "sql/functions.h"
#include "trace/span.h"

namespace llama::bench {

PlainSqlite::~PlainSqlite() { sqlite3_close_v2(connection_); }

std::unique_ptr<PlainSqlite> PlainSqlite::Import(const Columns& columns, const std::string& path) {
  auto plain = std::make_unique<PlainSqlite>();
  if (sqlite3_open(path.c_str(), &plain->connection_) != SQLITE_OK) return nullptr;
  if (!sql::AddFunctions(plain->connection_) || !plain->Fill(columns)) return nullptr;
  return plain;
}

bool PlainSqlite::Fill(const Columns& columns) {
  if (!Run("PRAGMA journal_mode=OFF") || !Run("PRAGMA synchronous=OFF") ||
      !Run("PRAGMA cache_size=-524288") || !Run("PRAGMA mmap_size=2147418112") ||
      !Run("CREATE TABLE spans(build TEXT, trace_id TEXT, span_id TEXT, parent_id TEXT, name TEXT, "
           "start INTEGER, duration INTEGER, fields TEXT)") ||
      !Run("BEGIN")) {
    return false;
  }
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(connection_, "INSERT INTO spans VALUES(?,?,?,?,?,?,?,?)", -1, &insert,
                     nullptr);
  const auto text = [&](int i, std::string_view s) {
    sqlite3_bind_text(insert, i, s.data(), static_cast<int>(s.size()), SQLITE_TRANSIENT);
  };
  std::string fields;
  for (Row row = 0; row < columns.size(); ++row) {
    text(1, columns.text(columns.builds()[columns.build()[row]].id));
    text(2, trace::Hex(columns.traces()[columns.trace()[row]]));
    text(3, trace::Hex(columns.span_id()[row]));
    text(4, columns.parent_id()[row] == 0 ? "" : trace::Hex(columns.parent_id()[row]));
    text(5, columns.text(columns.name()[row]));
    sqlite3_bind_int64(insert, 6, columns.start_ns()[row]);
    sqlite3_bind_int64(insert, 7, columns.duration_ns()[row]);
    fields.clear();
    columns.AppendFieldsJson(fields, row);
    text(8, fields);
    sqlite3_step(insert);
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  return Run("COMMIT") && Run("CREATE INDEX by_name ON spans(name)") &&
         Run("CREATE INDEX by_parent ON spans(parent_id)") &&
         Run("CREATE INDEX by_id ON spans(span_id)") && Run("ANALYZE");
}

bool PlainSqlite::Run(const std::string& sql) {
  char* error = nullptr;
  const int rc = sqlite3_exec(
      connection_, sql.c_str(), [](void*, int, char**, char**) { return 0; }, nullptr, &error);
  if (rc != SQLITE_OK) std::fprintf(stderr, "trace_queries: %s: %s\n", sql.c_str(), error);
  sqlite3_free(error);
  return rc == SQLITE_OK;
}

}  // namespace llama::bench
