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

  SqlShell(sql::SqlSession& session, const sql::TableStyle& style)
      : session_(session), style_(style) {}

  // A line without its end. kMore: a statement has begun and not ended.
  Outcome Feed(std::string_view line);
  // The last statement needs no semicolon.
  Outcome Finish();
  // Forgets the statement that has begun.
  void Clear() { text_.clear(); }

  // Statements, or a dot command.
  Outcome Run(std::string_view text);

  // After each statement, how many rows it had and how long it took.
  void TellRows() { telling_ = true; }
  // Errors of a script name the line of the script.
  void CountLines() { counting_ = true; }

 private:
  Outcome DotCommand(std::string_view line);
  Outcome RunStatements(std::string_view sql);
  Outcome PrintSchema(std::string_view table) const;

  sql::SqlSession& session_;
  const sql::TableStyle style_;
  bool vertical_ = false;  // switched to, by .vertical
  bool telling_ = false;
  std::string text_;  // of the statement that has begun
  size_t lines_ = 0;  // before it
  bool counting_ = false;
};

// On stdout.
void Print(std::string_view text);

}  // namespace llama::app
