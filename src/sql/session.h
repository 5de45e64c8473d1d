// SqlSession: a SQLite connection over the columns of some builds (docs/sql.md): the tables
// `spans`, `compiles`, `commands`, `builds`, `phases`, `machine`, and the functions of
// sql/functions.h. Nothing can be written, neither the traces nor any file.
//
// One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builds/record.h"
#include "sql/table_text.h"
#include "traces/columns/columns.h"

namespace llama::sql {

struct SqlColumnInfo {
  std::string name;
  std::string type;  // "INTEGER", "NUMERIC", "TEXT", or "" where types vary
};

struct SqlTableInfo {
  std::string name;
  std::string_view summary;
  std::vector<SqlColumnInfo> columns;
};

class SqlSession {
 public:
  struct Options {
    std::vector<builds::BuildRecord> records;  // what is known of the builds besides their traces
    // Asked every few milliseconds of a query; true ends it with kCancelled.
    std::function<bool()> cancelled;
  };

  // `columns` must outlive it.
  static Result<std::unique_ptr<SqlSession>> Open(const traces::Columns& columns, Options options);
  ~SqlSession();

  // Runs the statements of `sql` in turn, up to the first that fails: kInvalid, with the place that
  // it is about. Rows that came before that have been written. Gives the number of rows.
  Result<uint64_t> Run(std::string_view sql, TableWriter& out);

  // Whether `sql` ends where a statement may: a prompt asks for more if not.
  static bool IsComplete(const std::string& sql);

  const std::vector<SqlTableInfo>& tables() const;
  // Fields that are no columns, since there are too many (docs/sql.md, "Fields as columns").
  size_t fields_without_column() const;
  // Words that a query may contain, for completion: keywords, tables, columns, functions.
  std::vector<std::string> Words() const;

 private:
  class Impl;
  explicit SqlSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llama::sql
