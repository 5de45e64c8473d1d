// SqliteFile: a SQLite database that is written once, in one go. The first error is kept and ends
// it: what follows is not done.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/table.h"

struct sqlite3;
struct sqlite3_stmt;

namespace llama::exports {

class SqliteFile {
 public:
  // A new one. Not safe against a crash while it is written: nobody uses it before it is whole.
  static Result<SqliteFile> Create(const std::string& path);
  SqliteFile(SqliteFile&&) noexcept;
  ~SqliteFile();

  Result<void> Execute(const std::string& sql);
  Result<void> Close();

  // An INSERT with a parameter for each value of a row: they are given in order, then Add().
  class Insert {
   public:
    Insert(SqliteFile& file, const std::string& sql);
    Insert(const Insert&) = delete;
    Insert& operator=(const Insert&) = delete;
    ~Insert();

    void Int(int64_t value);
    // The bytes must stay until Add().
    void Text(std::string_view text);
    void Null();
    void Put(const sql::Cell& cell);
    void Add();
    Result<void> result() const;

   private:
    void Check(int rc);

    SqliteFile& file_;
    sqlite3_stmt* statement_ = nullptr;
    int next_ = 1;
    int wrong_ = 0;
    std::string message_;
  };

 private:
  SqliteFile(sqlite3* connection, std::string path);
  Error ErrorOf(const std::string& what) const;

  sqlite3* connection_ = nullptr;
  std::string path_;
};

}  // namespace llama::exports
