#include "exports/io/sqlite_file.h"

#include <sqlite3.h>

#include <utility>

namespace llama::exports {

SqliteFile::SqliteFile(sqlite3* connection, std::string path)
    : connection_(connection), path_(std::move(path)) {}
SqliteFile::SqliteFile(SqliteFile&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), path_(std::move(other.path_)) {}
SqliteFile::~SqliteFile() { sqlite3_close_v2(connection_); }

Error SqliteFile::ErrorOf(const std::string& what) const {
  return Error{Code::kUnavailable, path_ + ": " + what};
}

Result<SqliteFile> SqliteFile::Create(const std::string& path) {
  sqlite3* connection = nullptr;
  const int rc =
      sqlite3_open_v2(path.c_str(), &connection,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteFile file(connection, path);
  if (rc != SQLITE_OK) return file.ErrorOf(sqlite3_errstr(rc));
  TRY(
      file.Execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; "
                   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-65536"));
  return file;
}

Result<void> SqliteFile::Execute(const std::string& sql) {
  if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return ErrorOf(sqlite3_errmsg(connection_));
}

Result<void> SqliteFile::Close() {
  const int rc = sqlite3_close(std::exchange(connection_, nullptr));
  if (rc != SQLITE_OK) return ErrorOf(sqlite3_errstr(rc));
  return {};
}

SqliteFile::Insert::Insert(SqliteFile& file, const std::string& sql) : file_(file) {
  Check(sqlite3_prepare_v2(file.connection_, sql.c_str(), -1, &statement_, nullptr));
}
SqliteFile::Insert::~Insert() { sqlite3_finalize(statement_); }

void SqliteFile::Insert::Check(int rc) {
  if (rc == SQLITE_OK || rc == SQLITE_DONE || wrong_ != 0) return;
  wrong_ = rc;
  message_ = sqlite3_errmsg(file_.connection_);
}

void SqliteFile::Insert::Int(int64_t value) {
  Check(sqlite3_bind_int64(statement_, next_++, value));
}
void SqliteFile::Insert::Text(std::string_view text) {
  // A null pointer would be a null.
  Check(sqlite3_bind_text64(statement_, next_++, text.empty() ? "" : text.data(), text.size(),
                            SQLITE_STATIC, SQLITE_UTF8));
}
void SqliteFile::Insert::Null() { Check(sqlite3_bind_null(statement_, next_++)); }

void SqliteFile::Insert::Put(const sql::Cell& cell) {
  switch (cell.type) {
    case sql::CellType::kInt:
      return Int(cell.integer);
    case sql::CellType::kDouble:
      return Check(sqlite3_bind_double(statement_, next_++, cell.real));
    case sql::CellType::kText:
    case sql::CellType::kJson:
      return Text(cell.text());
    case sql::CellType::kNull:
    case sql::CellType::kBlob:
      return Null();
  }
}

void SqliteFile::Insert::Add() {
  if (wrong_ == 0) Check(sqlite3_step(statement_));
  sqlite3_reset(statement_);
  next_ = 1;
}

Result<void> SqliteFile::Insert::result() const {
  if (wrong_ == 0) return {};
  return file_.ErrorOf(message_);
}

}  // namespace llama::exports
