// The prompt of `llama sql` on a terminal: lines are edited, completed with Tab and remembered;
// Ctrl-C ends a query or forgets a line.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "llama/look/sql_shell.h"
#include "sql/session.h"

namespace llama::app {

// Takes SIGINT from the process from then on: it is asked for instead.
class Interrupts {
 public:
  static Result<Interrupts> Take();
  // Whether there was one since the last question.
  bool Arrived() const;
  int fd() const { return fd_.get(); }

 private:
  explicit Interrupts(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// Until the end of input or .quit.
void RunSqlPrompt(SqlShell& shell, const sql::SqlSession& session, const Interrupts& interrupts,
                  const std::string& history_path);

}  // namespace llama::app
