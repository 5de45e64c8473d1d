#include "sql/session.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <set>

#include "sql/compiles.h"
#include "sql/error.h"
#include "sql/functions.h"
#include "sql/module.h"
#include "sql/names.h"
#include "sql/spans.h"
#include "sql/totals.h"
#include "trace/names.h"

namespace llama::sql {
namespace {

struct CloseConnection {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
using Connection = std::unique_ptr<sqlite3, CloseConnection>;

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

// Instructions of SQLite's machine between two looks at whether to stop.
constexpr int kInstructionsBetweenLooks = 100'000;

// Fields of `machine` spans (docs/trace_format.md) and what the table calls them.
constexpr std::array kMachineFields = std::to_array<std::string_view>({
    trace::field::kCpuUserNs,
    trace::field::kCpuSystemNs,
    trace::field::kCpuIowaitNs,
    trace::field::kCpuStealNs,
    trace::field::kCpuBuildNs,
    trace::field::kCpuOtherBuildsNs,
    trace::field::kCpuCores,
    trace::field::kCpuRunnable,
    trace::field::kCpuPressureNs,
    trace::field::kIoPressureNs,
    trace::field::kMemoryPressureNs,
    trace::field::kMemoryBytes,
    trace::field::kMemoryAvailableBytes,
    trace::field::kDiskReadBytes,
    trace::field::kDiskWrittenBytes,
    trace::field::kDiskBusyNs,
    trace::field::kNetworkReceivedBytes,
    trace::field::kNetworkSentBytes,
    trace::field::kDaemonUserNs,
    trace::field::kDaemonSystemNs,
    trace::field::kDaemonChildrenNs,
    trace::field::kDaemonResidentBytes,
    trace::field::kJobsRemote,
    trace::field::kJobsLocal,
    trace::field::kJobsWaiting,
    trace::field::kWorkers,
    trace::field::kWorkersBusy,
    trace::field::kWorkersCpuNs,
});

// Reading only. What writes, attaches, loads or sets is refused while a statement is prepared.
int Authorize(void* /*client*/, int action, const char* first, const char* second,
              const char* /*database*/, const char* /*trigger*/) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return second != nullptr && std::string_view(second) == "load_extension" ? SQLITE_DENY
                                                                               : SQLITE_OK;
    case SQLITE_PRAGMA: {
      // They tell of tables and functions and set nothing.
      constexpr std::array<std::string_view, 4> kTelling = {"table_info", "table_xinfo",
                                                            "function_list", "compile_options"};
      const std::string_view name = first == nullptr ? "" : first;
      return std::find(kTelling.begin(), kTelling.end(), name) == kTelling.end() ? SQLITE_DENY
                                                                                 : SQLITE_OK;
    }
    default:
      return SQLITE_DENY;
  }
}

const char* TypeOf(Affinity affinity) {
  switch (affinity) {
    case Affinity::kInteger:
      return "INTEGER";
    case Affinity::kNumeric:
      return "NUMERIC";
    case Affinity::kText:
      return "TEXT";
    case Affinity::kNone:
      return "";
  }
  return "";
}

Cell ReadCell(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return Cell::Int(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return Cell::Double(sqlite3_column_double(statement, column));
    case SQLITE_NULL:
      return Cell::Null();
    default: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      if (bytes == nullptr) return Cell::Text("");
      return Cell::Text({bytes, static_cast<size_t>(sqlite3_column_bytes(statement, column))});
    }
  }
}

}  // namespace

class SqlSession::Impl {
 public:
  Impl(const traces::Columns& columns, Options options)
      : columns_(columns), options_(std::move(options)), build_names_(BuildNames(columns)) {
    for (size_t i = 0; i < build_names_.size(); ++i) {
      const std::string_view id = columns.text(columns.builds()[i].id);
      for (const builds::BuildRecord& record : options_.records) {
        if (record.id == id && !record.name.empty() && build_names_[i] == id) {
          build_names_[i] = record.name;
        }
      }
    }
  }

  Result<void> Open();
  Result<uint64_t> Run(std::string_view sql, TableWriter& out);
  std::vector<std::string> Words() const;

  const std::vector<SqlTableInfo>& infos() const { return infos_; }
  const SpansTable& spans() const { return *spans_; }

 private:
  Result<void> Add(const std::string& name, std::string_view summary,
                   std::unique_ptr<SqlTable> table);
  Result<void> AddMachine();
  Result<void> Execute(const std::string& sql);
  static int Print(sqlite3_stmt* statement, TableWriter& out, uint64_t& rows);
  Error ErrorOf(int rc, std::string_view sql, size_t statement) const;

  const traces::Columns& columns_;
  const Options options_;
  std::vector<std::string> build_names_;
  const SpansTable* spans_ = nullptr;  // the connection owns it
  std::vector<SqlTableInfo> infos_;
  Connection connection_;  // goes first: its tables refer to what is above
};

Result<void> SqlSession::Impl::Execute(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return {};
  }
  return Error{Code::kInternal, sql + ": " + sqlite3_errmsg(connection_.get())};
}

Result<void> SqlSession::Impl::Add(const std::string& name, std::string_view summary,
                                   std::unique_ptr<SqlTable> table) {
  SqlTableInfo info{name, summary, {}};
  for (const SqlColumn& column : table->columns()) {
    info.columns.push_back({column.name, TypeOf(column.affinity)});
  }
  infos_.push_back(std::move(info));
  TRY(AddTable(connection_.get(), name, std::move(table)));
  // SQLite declares the table when it is first named, and asks Authorize for that.
  return Execute("PRAGMA table_info(" + name + ")");
}

// A view, since it is nothing but spans of one name. A field that no span has is null.
Result<void> SqlSession::Impl::AddMachine() {
  SqlTableInfo info{"machine", "the build host, an interval of about a second a row", {}};
  std::string sql = "CREATE TEMP VIEW machine AS SELECT ";
  for (const char* name : {"build", "build_name", "second", "start_ns", "duration_ns"}) {
    sql.append(name).append(",");
    info.columns.push_back(
        {name, std::string_view(name).starts_with("build") ? "TEXT" : "INTEGER"});
  }
  const auto value = [&](std::string_view field) {
    const auto column = spans_->ColumnOfField(field);
    return column ? QuoteName(*column) : std::string("NULL");
  };
  for (const std::string_view field : kMachineFields) {
    std::string name(field);
    std::replace(name.begin(), name.end(), '.', '_');
    sql.append(value(field)).append(" AS ").append(name).append(",");
    info.columns.push_back({name, "INTEGER"});
  }
  sql.append("1.0*(")
      .append(value(trace::field::kCpuUserNs))
      .append("+")
      .append(value(trace::field::kCpuSystemNs))
      .append(")/(duration_ns*")
      .append(value(trace::field::kCpuCores))
      .append(") AS cpu_share FROM spans WHERE name='machine'");
  info.columns.push_back({"cpu_share", "NUMERIC"});
  infos_.push_back(std::move(info));
  return Execute(sql);
}

Result<void> SqlSession::Impl::Open() {
  sqlite3* connection = nullptr;
  const int rc = sqlite3_open_v2(
      ":memory:", &connection,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX,
      nullptr);
  connection_.reset(connection);
  if (rc != SQLITE_OK) {
    return Error{Code::kInternal, std::string("SQLite: ") + sqlite3_errstr(rc)};
  }
  // What SQLite must sort by itself it sorts in memory, up to half a gigabyte.
  TRY(Execute("PRAGMA cache_size=-524288"));
  TRY(AddFunctions(connection));
  auto spans = std::make_unique<SpansTable>(columns_, build_names_);
  spans_ = spans.get();
  TRY(Add("spans", "all that was recorded, a span a row", std::move(spans)));
  auto compiles = std::make_unique<CompilesTable>(columns_, *spans_, trace::span::kLlamacc);
  const CompilesTable& all_compiles = *compiles;
  TRY(Add("compiles", "a compile a row: file, phases, bytes, worker, cost, reason",
          std::move(compiles)));
  TRY(Add("commands", "likewise for llama invoke and llama xargs",
          std::make_unique<CompilesTable>(columns_, *spans_, trace::span::kCommand)));
  TRY(Add("builds", "a build a row: what it was and its totals",
          BuildsTable(columns_, all_compiles, build_names_, options_.records)));
  TRY(Add("phases", "a row for each name of spans in each build: sums and percentiles",
          PhasesTable(columns_, build_names_)));
  TRY(AddMachine());
  // Declared now, for the same reason as ours.
  TRY(Execute("PRAGMA table_info(json_each)"));
  TRY(Execute("PRAGMA table_info(json_tree)"));
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_set_authorizer(connection, Authorize, nullptr);
  if (options_.cancelled) {
    sqlite3_progress_handler(
        connection, kInstructionsBetweenLooks,
        [](void* cancelled) {
          return (*static_cast<const std::function<bool()>*>(cancelled))() ? 1 : 0;
        },
        const_cast<std::function<bool()>*>(&options_.cancelled));
  }
  return {};
}

Error SqlSession::Impl::ErrorOf(int rc, std::string_view sql, size_t statement) const {
  // For a table that there is not, tables; for another word, the others.
  const bool table =
      std::string_view(sqlite3_errmsg(connection_.get())).starts_with("no such table");
  std::vector<std::string_view> known;
  for (const SqlTableInfo& info : infos_) {
    if (table) known.push_back(info.name);
    for (const SqlColumnInfo& column : info.columns) {
      if (!table) known.push_back(column.name);
    }
  }
  for (const std::string_view call : FunctionCalls()) {
    if (!table) known.push_back(call.substr(0, call.find('(')));
  }
  return SqlError(connection_.get(), rc, sql, statement, known);
}

// Gives what SQLite says at the end.
int SqlSession::Impl::Print(sqlite3_stmt* statement, TableWriter& out, uint64_t& rows) {
  std::vector<std::string> names;
  const int columns = sqlite3_column_count(statement);
  for (int i = 0; i < columns; ++i) {
    const char* name = sqlite3_column_name(statement, i);
    names.emplace_back(name == nullptr ? "" : name);
  }
  std::vector<Cell> row(names.size());
  // Only when there is a row, or none will come: before an error there is no header.
  int rc = sqlite3_step(statement);
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) out.Begin(names);
  for (; rc == SQLITE_ROW; rc = sqlite3_step(statement)) {
    for (int i = 0; i < columns; ++i) row[static_cast<size_t>(i)] = ReadCell(statement, i);
    out.Add(row);
    ++rows;
  }
  if (rc == SQLITE_DONE) out.End();
  return rc;
}

Result<uint64_t> SqlSession::Impl::Run(std::string_view sql, TableWriter& out) {
  uint64_t rows = 0;
  size_t at = 0;
  if (sql.size() > 1'000'000'000) return Error{Code::kInvalid, "a statement of more than 1 GB"};
  while (at < sql.size()) {
    sqlite3_stmt* prepared = nullptr;
    const char* rest = nullptr;
    int rc = sqlite3_prepare_v2(connection_.get(), sql.data() + at,
                                static_cast<int>(sql.size() - at), &prepared, &rest);
    const Statement statement(prepared);
    if (rc != SQLITE_OK) return ErrorOf(rc, sql, at);
    const size_t next = static_cast<size_t>(rest - sql.data());
    if (prepared != nullptr) {
      rc = Print(prepared, out, rows);
      if (rc != SQLITE_DONE) return ErrorOf(rc, sql, at);
    }
    if (next <= at) break;  // SQLite stops at a NUL
    at = next;
  }
  return rows;
}

std::vector<std::string> SqlSession::Impl::Words() const {
  std::set<std::string> words;
  for (const SqlTableInfo& table : infos_) {
    words.insert(table.name);
    for (const SqlColumnInfo& column : table.columns) words.insert(QuoteName(column.name));
  }
  for (const std::string_view call : FunctionCalls()) {
    words.emplace(call.substr(0, call.find('(')));
  }
  for (const char* word : {"SELECT",
                           "FROM",
                           "WHERE",
                           "GROUP BY",
                           "ORDER BY",
                           "HAVING",
                           "LIMIT",
                           "JOIN",
                           "LEFT JOIN",
                           "USING",
                           "ON",
                           "AND",
                           "OR",
                           "NOT",
                           "NULL",
                           "IS NULL",
                           "IS NOT NULL",
                           "IN",
                           "LIKE",
                           "GLOB",
                           "BETWEEN",
                           "AS",
                           "DESC",
                           "ASC",
                           "DISTINCT",
                           "WITH",
                           "RECURSIVE",
                           "UNION ALL",
                           "VALUES",
                           "CASE",
                           "WHEN",
                           "THEN",
                           "ELSE",
                           "END",
                           "OVER",
                           "PARTITION BY",
                           "EXPLAIN QUERY PLAN",
                           "count",
                           "sum",
                           "avg",
                           "min",
                           "max",
                           "total",
                           "round",
                           "coalesce",
                           "iif",
                           "json_each",
                           "json_extract",
                           "group_concat",
                           "substr",
                           "printf",
                           "lag",
                           "row_number"}) {
    words.emplace(word);
  }
  return {words.begin(), words.end()};
}

SqlSession::SqlSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqlSession::~SqlSession() = default;

Result<std::unique_ptr<SqlSession>> SqlSession::Open(const traces::Columns& columns,
                                                     Options options) {
  auto impl = std::make_unique<Impl>(columns, std::move(options));
  TRY(impl->Open());
  return std::unique_ptr<SqlSession>(new SqlSession(std::move(impl)));
}

Result<uint64_t> SqlSession::Run(std::string_view sql, TableWriter& out) {
  return impl_->Run(sql, out);
}

bool SqlSession::IsComplete(const std::string& sql) { return sqlite3_complete(sql.c_str()) != 0; }

const std::vector<SqlTableInfo>& SqlSession::tables() const { return impl_->infos(); }
size_t SqlSession::fields_without_column() const { return impl_->spans().fields_without_column(); }
std::vector<std::string> SqlSession::Words() const { return impl_->Words(); }

}  // namespace llama::sql
