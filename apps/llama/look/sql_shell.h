// SqlShell: what `llama sql` does with lines of text: collects them until a statement is whole,
// runs it, and answers the dot commands.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sql/session.h"

namespace llama::app {

class SqlShell {
 public:
  // kWrong: what is wrong has been said, on stderr.
  enum class Outcome { kDone, kMore, kWrong, kQuit };

  SqlShell(sql::SqlSession& session, sql::TableWriter& out) : session_(session), out_(out) {}

  // A line without its end. kMore: a statement has begun and not ended.
  Outcome Feed(std::string_view line);
  // The last statement needs no semicolon.
  Outcome Finish();
  // Forgets the statement that has begun.
  void Clear() { text_.clear(); }

  // Statements, or a dot command.
  Outcome Run(std::string_view text);
  uint64_t last_rows() const { return last_rows_; }

  // Errors of a script name the line of the script.
  void CountLines() { counting_ = true; }

 private:
  Outcome DotCommand(std::string_view line);
  Outcome RunStatements(std::string_view sql);
  Outcome PrintSchema(std::string_view table) const;

  sql::SqlSession& session_;
  sql::TableWriter& out_;
  std::string text_;  // of the statement that has begun
  size_t lines_ = 0;  // before it
  bool counting_ = false;
  uint64_t last_rows_ = 0;
};

// On stdout.
void Print(std::string_view text);

}  // namespace llama::app
