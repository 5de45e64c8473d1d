// llama sql: queries over traces.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "base/clock.h"
#include "base/file.h"
#include "base/text/format.h"
#include "builds/store.h"
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

constexpr std::array<Option, 7> kOptions = {{{"--build", true},
                                             {"--all"},
                                             {"--since", true},
                                             {"--csv"},
                                             {"--json"},
                                             {"--markdown"},
                                             {"--vertical"}}};

// On a terminal a cell of more is cut: one that fills the screen hides the others.
constexpr size_t kMaxCellWidth = 60;

struct Request {
  std::vector<std::string> names;
  bool all = false;
  std::string since;  // how long ago; empty: however long
  std::optional<std::string> statements;
  sql::TableFormat format = sql::TableFormat::kAligned;
};

// A statement has blanks, brackets or quotes, or is a dot command; a file's name may have them,
// too, but then it is there.
bool IsStatement(const std::string& word) {
  struct stat status;
  if (word == "-" || stat(word.c_str(), &status) == 0) return false;
  if (word[0] == '.' && word.size() > 1 && word[1] >= 'a' && word[1] <= 'z') {
    return word.find('/') == std::string::npos;
  }
  return word.find_first_of(" \t\n(;\"'`") != std::string::npos;
}

std::optional<sql::TableFormat> FormatOf(std::string_view option) {
  if (option == "--csv") return sql::TableFormat::kCsv;
  if (option == "--json") return sql::TableFormat::kJson;
  if (option == "--markdown") return sql::TableFormat::kMarkdown;
  if (option == "--vertical") return sql::TableFormat::kVertical;
  return std::nullopt;
}

Result<void> ReadOptions(const ParsedArguments& parsed, Request& request) {
  int formats = 0;
  for (const auto& [name, value] : parsed.options) {
    if (name == "--build") request.names.push_back(value);
    if (const auto format = FormatOf(name)) {
      ++formats;
      request.format = *format;
    }
  }
  if (formats > 1) {
    return Error{Code::kInvalid, "one of --csv, --json, --markdown and --vertical"};
  }
  request.all = parsed.Has("--all");
  request.since = parsed.Value("--since");
  if (parsed.Has("--since")) TRY(builds::ParseAge(request.since));
  return {};
}

Result<Request> ReadRequest(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ParsedArguments parsed, ParseArguments(arguments, kOptions));
  Request request;
  TRY(ReadOptions(parsed, request));
  for (const std::string& word : parsed.rest) {
    if (word.empty()) return Error{Code::kInvalid, "an empty argument"};
    if (!IsStatement(word)) {
      request.names.push_back(word);
    } else if (request.statements) {
      return Error{Code::kInvalid, "several statements: put them into one argument, with ';'"};
    } else {
      request.statements = word;
    }
  }
  if (std::find(request.names.begin(), request.names.end(), "") != request.names.end()) {
    return Error{Code::kInvalid, "an empty name"};
  }
  if (request.all && !request.names.empty()) return Error{Code::kInvalid, "either --all or builds"};
  return request;
}

// Leaves those that began no longer ago.
Result<void> KeepSince(const std::string& age, std::vector<builds::Named>& named) {
  ASSIGN_OR_RETURN(const int64_t age_ns, builds::ParseAge(age));
  const int64_t since_ns = SystemClock().NowNs() - age_ns;
  for (const builds::Named& one : named) {
    if (!one.is_build) {
      return Error{Code::kInvalid, "--since is for builds; " + one.path + " is a file"};
    }
  }
  std::erase_if(named, [&](const builds::Named& one) {
    const auto record = builds::ReadBuildRecord(one.path);
    return !record || builds::BeganNs(one.path, *record) < since_ns;
  });
  if (named.empty()) return Error{Code::kNotFound, "no such build began in the last " + age};
  return {};
}

Result<NamedBuilds> Load(const Request& request) {
  const bool all = request.all || (!request.since.empty() && request.names.empty());
  ASSIGN_OR_RETURN(auto named, all ? AllBuilds() : ResolveNames(request.names));
  if (!request.since.empty()) TRY(KeepSince(request.since, named));
  ASSIGN_OR_RETURN(NamedBuilds loaded, LoadNamed(named));
  TRY(AccountForTrace(loaded.columns, request.names));
  return loaded;
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
  shell.TellRows();
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
  SqlShell shell(**session, style);
  if (prompt) return RunOnTerminal(loaded, **session, shell, *interrupts);
  if (!request.statements) return RunScript(shell);
  return shell.Run(*request.statements) == SqlShell::Outcome::kWrong ? kFailed : kOk;
}

int Run(const Arguments& arguments) {
  const auto request = ReadRequest(arguments);
  if (!request) return UsageError("sql", request.error().message);
  const bool reads_trace = std::count(request->names.begin(), request->names.end(), "-") > 0;
  if (reads_trace && !request->statements) {
    return UsageError("sql", "with the trace on standard input, the statement is an argument");
  }
  const auto loaded = Load(*request);
  if (!loaded) {
    PrintError(loaded.error().message);
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
    "usage: llama sql [OPTION]... [BUILD]... [STATEMENT]\n"
    "\n"
    "Runs SQL (SQLite's) over the spans of builds. Without a STATEMENT it is read from standard\n"
    "input; on a terminal there is a prompt. BUILD is an id or the beginning of one, a name,\n"
    "latest, a pattern such as 'redis*', a trace file, a build's folder, or - for a trace on\n"
    "standard input ('llama help names'); without one the latest build is queried. A word with\n"
    "blanks, brackets or quotes is the STATEMENT. Nothing can be changed: traces are read, not\n"
    "written.\n"
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
    "  --build BUILD   the same as BUILD alone; several stand side by side in the column build\n"
    "  --all           all builds that are recorded\n"
    "  --since AGE     only builds that began no longer ago: 90s, 15m, 12h, 30d, 2w\n"
    "  --csv           with a header line (RFC 4180)\n"
    "  --json          as a JSON array of objects\n"
    "  --markdown      as a Markdown table\n"
    "  --vertical      a line a column, for rows that are wider than the screen\n"
    "\n"
    "exit status: 0, 1 if a statement fails or a trace can't be read, 2 for wrong usage.\n"
    "\n"
    "examples:\n"
    "  llama sql 'SELECT file, duration_ns FROM compiles ORDER BY 2 DESC LIMIT 10'\n"
    "  llama sql --build before --build after --csv 'SELECT * FROM phases'\n"
    "  llama sql --build 'redis*' --since 2d 'SELECT * FROM builds'\n"
    "  llama sql --vertical 'SELECT * FROM compiles LIMIT 1'\n"
    "  llama sql .schema\n",
    Run};

}  // namespace llama::app
