// llama sql: queries over traces.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "base/file.h"
#include "base/format.h"
#include "client/connection.h"
#include "llama/cloud/load_account.h"
#include "llama/command.h"
#include "llama/look/named_builds.h"
#include "llama/look/report_build.h"
#include "llama/look/sql_prompt.h"
#include "llama/look/sql_shell.h"
#include "sql/session.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 4> kOptions = {
    {{"--build", true}, {"--csv"}, {"--json"}, {"--markdown"}}};

// On a terminal a cell of more is cut: one that fills the screen hides the others.
constexpr size_t kMaxCellWidth = 60;

struct Request {
  std::vector<std::string> builds;
  std::vector<std::string> files;
  std::optional<std::string> statements;
  sql::TableFormat format = sql::TableFormat::kAligned;
};

// A statement has blanks or brackets, or is a dot command; a file's name may have them, too, but
// then it is there.
bool IsStatement(const std::string& word) {
  struct stat status;
  if (word == "-" || stat(word.c_str(), &status) == 0) return false;
  if (word[0] == '.' && word.size() > 1 && word[1] >= 'a' && word[1] <= 'z') {
    return word.find('/') == std::string::npos;
  }
  return word.find_first_of(" \t\n(*;") != std::string::npos;
}

Result<Request> ReadRequest(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ParsedArguments parsed, ParseArguments(arguments, kOptions));
  Request request;
  int formats = 0;
  for (const auto& [name, value] : parsed.options) {
    if (name == "--build") {
      request.builds.push_back(value);
      continue;
    }
    ++formats;
    request.format = name == "--csv"    ? sql::TableFormat::kCsv
                     : name == "--json" ? sql::TableFormat::kJson
                                        : sql::TableFormat::kMarkdown;
  }
  if (formats > 1) return Error{Code::kInvalid, "one of --csv, --json and --markdown"};
  for (const std::string& word : parsed.rest) {
    if (word.empty()) return Error{Code::kInvalid, "an empty argument"};
    if (!IsStatement(word)) {
      request.files.push_back(word);
    } else if (request.statements) {
      return Error{Code::kInvalid, "several statements: put them into one argument, with ';'"};
    } else {
      request.statements = word;
    }
  }
  if (!request.files.empty() && !request.builds.empty()) {
    return Error{Code::kInvalid, "either builds or files"};
  }
  return request;
}

int RunScript(SqlShell& shell) {
  const auto text = ReadAll(STDIN_FILENO, uint64_t{256} << 20, "standard input");
  if (!text) {
    PrintError(text.error().message);
    return kFailed;
  }
  shell.CountLines();
  SqlShell::Outcome outcome = SqlShell::Outcome::kDone;
  for (size_t begin = 0; begin < text->size();) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    outcome = shell.Feed(std::string_view(*text).substr(begin, end - begin));
    if (outcome == SqlShell::Outcome::kWrong) return kFailed;
    if (outcome == SqlShell::Outcome::kQuit) return kOk;
    begin = end + 1;
  }
  return shell.Finish() == SqlShell::Outcome::kWrong ? kFailed : kOk;
}

int RunOnTerminal(const NamedBuilds& loaded, sql::SqlSession& session, SqlShell& shell,
                  const Interrupts& interrupts) {
  Print(FormatCount(loaded.columns.builds().size()) +
        (loaded.columns.builds().size() == 1 ? " build, " : " builds, ") +
        FormatCount(loaded.columns.size()) + " spans; .help tells how, .tables what there is\n");
  const auto state_dir = client::StateDir();
  RunSqlPrompt(shell, session, interrupts,
               state_dir ? JoinPath(*state_dir, "sql_history") : std::string());
  return kOk;
}

int Serve(const Request& request, const NamedBuilds& loaded) {
  const bool prompt = !request.statements && isatty(STDIN_FILENO) == 1;
  std::optional<Interrupts> interrupts;
  sql::SqlSession::Options options;
  options.records = loaded.records;
  if (prompt) {
    auto taken = Interrupts::Take();
    if (!taken) {
      PrintError(taken.error().message);
      return kFailed;
    }
    interrupts = *std::move(taken);
    options.cancelled = [&interrupts] { return interrupts->Arrived(); };
  }
  const auto session = sql::SqlSession::Open(loaded.columns, std::move(options));
  if (!session) {
    PrintError(session.error().message);
    return kFailed;
  }
  sql::TableStyle style{request.format, WantsColor(STDOUT_FILENO), 0};
  if (isatty(STDOUT_FILENO) == 1) style.max_cell_width = kMaxCellWidth;
  const auto out = sql::TableWriter::Create(style, Print);
  SqlShell shell(**session, *out);
  if (prompt) return RunOnTerminal(loaded, **session, shell, *interrupts);
  if (!request.statements) return RunScript(shell);
  return shell.Run(*request.statements) == SqlShell::Outcome::kWrong ? kFailed : kOk;
}

int Run(const Arguments& arguments) {
  const auto request = ReadRequest(arguments);
  if (!request) return UsageError("sql", request.error().message);
  const bool reads_trace = std::count(request->files.begin(), request->files.end(), "-") > 0;
  if (reads_trace && !request->statements) {
    return UsageError("sql", "with the trace on standard input, the statement is an argument");
  }
  const auto loaded =
      request->files.empty() ? LoadNamedBuilds(request->builds) : LoadGivenFiles(request->files);
  if (!loaded) {
    PrintError(loaded.error().message);
    return kFailed;
  }
  const auto& names = request->files.empty() ? request->builds : request->files;
  if (const auto read = AccountForTrace(loaded->columns, names); !read) {
    PrintError(read.error().message);
    return kFailed;
  }
  const int status = Serve(*request, *loaded);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    PrintError("standard output can't be written");
    return kFailed;
  }
  return status;
}

}  // namespace

const Command kSqlCommand = {
    "sql", "query traces in SQL",
    "usage: llama sql [--build BUILD]... [--csv|--json|--markdown] [STATEMENT]\n"
    "       llama sql [--csv|--json|--markdown] FILE... [STATEMENT]\n"
    "\n"
    "Runs SQL (SQLite's) over the spans of builds. Without a STATEMENT it is read from standard\n"
    "input; on a terminal there is a prompt. BUILD is an id, the beginning of one, or a name;\n"
    "without it, the latest build is queried. FILE is a trace (- is standard input) or the folder\n"
    "of a build. Nothing can be changed: traces are read, not written.\n"
    "\n"
    "  spans      a row a span: name, start_ns, duration_ns, self_ns, every field as a column\n"
    "  compiles   a row a compile: file, output, phases, bytes, worker, cost_usd, reason\n"
    "  commands   the same for commands of 'llama invoke' and 'llama xargs'\n"
    "  builds     a row a build\n"
    "  phases     sums and percentiles by name of span and build\n"
    "  machine    the build host, second by second\n"
    "\n"
    "Besides SQLite's functions there are p50(x), p95(x), p99(x), percentile(x, p),\n"
    "percentiles(x, p...) and histogram(x [, width]). .tables and .schema [TABLE] list what there\n"
    "is; docs/sql.md has the queries that people ask for.\n"
    "\n"
    "  --build BUILD   several stand side by side in the column build\n"
    "  --csv           with a header line (RFC 4180)\n"
    "  --json          as a JSON array of objects\n"
    "  --markdown      as a Markdown table\n"
    "\n"
    "exit status: 0, 1 if a statement fails or a trace can't be read, 2 for wrong usage.\n"
    "\n"
    "examples:\n"
    "  llama sql 'SELECT file, duration_ns FROM compiles ORDER BY 2 DESC LIMIT 10'\n"
    "  llama sql --build before --build after --csv 'SELECT * FROM phases'\n"
    "  llama sql .schema\n",
    Run};

}  // namespace llama::app
