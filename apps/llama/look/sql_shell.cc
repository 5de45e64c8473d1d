#include "llama/look/sql_shell.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/text/format.h"
#include "llama/command.h"
#include "sql/functions.h"
#include "sql/names.h"

namespace llama::app {
namespace {

using Outcome = SqlShell::Outcome;

constexpr std::string_view kBlank = " \t\r\n\f\v";

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Nothing but blanks and comments: no statement has begun.
bool SaysNothing(std::string_view sql) {
  while (!(sql = Trimmed(sql)).empty()) {
    const std::string_view end = sql.starts_with("--") ? "\n" : (sql.starts_with("/*") ? "*/" : "");
    const size_t at = end.empty() ? std::string_view::npos : sql.find(end, 2);
    // A line's comment may be the last line.
    if (at == std::string_view::npos) return sql.starts_with("--");
    sql.remove_prefix(at + end.size());
  }
  return true;
}

// The commands, as .help shows them and typing errors are told.
constexpr std::array<std::string_view, 5> kDotCommands = {".help", ".quit", ".schema", ".tables",
                                                          ".vertical"};

// Says below each table how many rows it has, and how long they took since the table before.
class TellingWriter final : public sql::TableWriter {
 public:
  explicit TellingWriter(std::unique_ptr<sql::TableWriter> table) : table_(std::move(table)) {}

  void Begin(std::span<const std::string> columns) override {
    rows_ = 0;
    table_->Begin(columns);
  }
  void Add(std::span<const sql::Cell> row) override {
    ++rows_;
    table_->Add(row);
  }
  void End() override {
    table_->End();
    const auto took = std::chrono::steady_clock::now() - start_;
    Print("(" + FormatCount(rows_) + (rows_ == 1 ? " row, " : " rows, ") +
          FormatDuration(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()) +
          ")\n");
    start_ = std::chrono::steady_clock::now();
  }

 private:
  const std::unique_ptr<sql::TableWriter> table_;
  uint64_t rows_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

Outcome SqlShell::RunStatements(std::string_view sql) {
  sql::TableStyle style = style_;
  if (vertical_) style.format = sql::TableFormat::kVertical;
  auto out = sql::TableWriter::Create(style, Print);
  if (telling_) out = std::make_unique<TellingWriter>(std::move(out));
  const auto rows = session_.Run(sql, *out);
  if (rows) return Outcome::kDone;
  std::fflush(stdout);
  PrintError(rows.error().message);
  return Outcome::kWrong;
}

Outcome SqlShell::Run(std::string_view text) {
  const std::string_view trimmed = Trimmed(text);
  return trimmed.starts_with('.') ? DotCommand(trimmed) : RunStatements(text);
}

Outcome SqlShell::Feed(std::string_view line) {
  const bool begun = !SaysNothing(text_);
  if (!begun && Trimmed(line).starts_with('.')) {
    ++lines_;
    text_.clear();
    return DotCommand(Trimmed(line));
  }
  if (!begun) text_.clear();
  if (text_.empty() && counting_) text_.assign(lines_, '\n');
  ++lines_;
  text_.append(line).append("\n");
  if (SaysNothing(text_)) return Outcome::kDone;
  const bool whole = line.find(';') != std::string_view::npos && sql::SqlSession::IsComplete(text_);
  return whole ? RunStatements(std::exchange(text_, {})) : Outcome::kMore;
}

Outcome SqlShell::Finish() {
  if (SaysNothing(text_)) return Outcome::kDone;
  return RunStatements(std::exchange(text_, {}));
}

Outcome SqlShell::DotCommand(std::string_view line) {
  const size_t space = line.find_first_of(kBlank);
  const std::string_view name = line.substr(0, space);
  std::string_view argument = space == std::string_view::npos ? "" : Trimmed(line.substr(space));
  if (argument.ends_with(';')) argument = Trimmed(argument.substr(0, argument.size() - 1));
  if (name == ".quit" || name == ".exit" || name == ".quit;") return Outcome::kQuit;
  if (name == ".tables") {
    for (const sql::SqlTableInfo& table : session_.tables()) {
      Print(PadRight(table.name, 10).append(" ").append(table.summary).append("\n"));
    }
    return Outcome::kDone;
  }
  if (name == ".schema") return PrintSchema(argument);
  if (name == ".vertical") {
    vertical_ = !vertical_;
    Print(vertical_ ? "rows are shown a column a line; .vertical again ends that\n"
                    : "rows are shown as tables\n");
    return Outcome::kDone;
  }
  if (name == ".help") {
    Print(
        ".tables          the tables\n"
        ".schema [TABLE]  their columns\n"
        ".vertical        shows rows a column a line, or no longer does\n"
        ".quit            ends, as does Ctrl-D\n"
        "Anything else is SQL, ended by a semicolon. Besides SQLite's own functions there are\n ");
    for (const std::string_view call : sql::FunctionCalls()) Print(" " + std::string(call));
    Print(".\n");
    return Outcome::kDone;
  }
  std::string message = "no command " + Printable(name);
  if (const std::string_view close = Closest(name, kDotCommands); !close.empty()) {
    message.append("; did you mean ").append(close).append("?");
  }
  PrintError(message);
  return Outcome::kWrong;
}

Outcome SqlShell::PrintSchema(std::string_view wanted) const {
  bool found = false;
  for (const sql::SqlTableInfo& table : session_.tables()) {
    if (!wanted.empty() && table.name != wanted) continue;
    found = true;
    std::string text = table.name + " -- " + std::string(table.summary) + "\n";
    for (const sql::SqlColumnInfo& column : table.columns) {
      std::string line = "  " + Printable(sql::QuoteName(column.name));
      if (!column.type.empty()) line = PadRight(line, 28) + " " + column.type;
      text += line + "\n";
    }
    if (table.name == "spans" && session_.fields_without_column() > 0) {
      text += "  (" + FormatCount(session_.fields_without_column()) +
              " rarer fields are only in the column fields)\n";
    }
    Print(text);
  }
  if (found) return Outcome::kDone;
  PrintError("no table " + Printable(wanted) + "; .tables lists what there is");
  return Outcome::kWrong;
}

}  // namespace llama::app
