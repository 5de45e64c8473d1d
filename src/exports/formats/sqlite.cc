// An ordinary SQLite database: the spans as a table with their fields as JSON, and tables and views
// that answer to the same names as those of `llama sql` (docs/sql.md).
#include <algorithm>
#include <string>
#include <vector>

#include "exports/formats/formats.h"
#include "exports/io/json_writer.h"
#include "exports/io/sqlite_file.h"
#include "sql/names.h"
#include "sql/session.h"

namespace llama::exports {
namespace {

constexpr char kSpansTable[] =
    "CREATE TABLE spans(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES spans(id), "
    "build TEXT NOT NULL, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT, "
    "name TEXT NOT NULL, path TEXT NOT NULL, depth INTEGER NOT NULL, start_ns INTEGER NOT NULL, "
    "end_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL, self_ns INTEGER NOT NULL, "
    "raw_start_ns INTEGER NOT NULL, fields TEXT NOT NULL)";

// Made when the rows are there: that is faster, and the tables are sorted once.
constexpr char kIndexes[] =
    "CREATE INDEX spans_by_name ON spans(name, build, duration_ns);"
    "CREATE INDEX spans_by_parent ON spans(parent);"
    "CREATE INDEX spans_by_trace ON spans(trace_id);"
    "CREATE INDEX compiles_by_file ON compile_rows(file);"
    "PRAGMA analysis_limit=1000; ANALYZE";

// Percentiles by nearest rank, as everywhere: the p-th of n is the ceil(p n / 100)-th. Expressions
// are cast: else they would have no affinity, and `min_ns = '5'` would be false here and true in
// `llama sql`.
constexpr char kPhasesView[] =
    "CREATE VIEW phases AS WITH ranked AS (SELECT build, name, depth, duration_ns, self_ns, "
    "row_number() OVER (PARTITION BY build, name ORDER BY duration_ns) AS rank, "
    "count(*) OVER (PARTITION BY build, name) AS n FROM spans) "
    "SELECT build, build_rows.name AS build_name, r.name, CAST(min(depth) AS INTEGER) AS depth, "
    "CAST(count(*) AS INTEGER) AS count, CAST(sum(duration_ns) AS INTEGER) AS sum_ns, "
    "CAST(sum(self_ns) AS INTEGER) AS self_ns, CAST(coalesce(1.0 * sum(self_ns) / "
    "nullif(sum(sum(self_ns)) OVER (PARTITION BY build), 0), 0.0) AS NUMERIC) AS share, "
    "CAST(min(duration_ns) AS INTEGER) AS min_ns, "
    "CAST(sum(duration_ns) / count(*) AS INTEGER) AS mean_ns, "
    "CAST(max(iif(rank = (50 * n + 99) / 100, duration_ns, NULL)) AS INTEGER) AS p50_ns, "
    "CAST(max(iif(rank = (95 * n + 99) / 100, duration_ns, NULL)) AS INTEGER) AS p95_ns, "
    "CAST(max(iif(rank = (99 * n + 99) / 100, duration_ns, NULL)) AS INTEGER) AS p99_ns, "
    "CAST(max(duration_ns) AS INTEGER) AS max_ns FROM ranked AS r JOIN build_rows USING (build) "
    "GROUP BY build, r.name";

constexpr char kBuildsView[] =
    "CREATE VIEW builds AS WITH totals AS (SELECT build, count(*) AS compiles, "
    "sum(remote = 1) AS remote, sum(remote = 0) AS local, "
    "sum(typeof(status) = 'integer' AND status <> 0) AS failed, sum(invocations) AS invocations, "
    "sum(cold_start) AS cold_starts, count(DISTINCT worker_id) AS workers, "
    "sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down, sum(store_puts) AS store_puts, "
    "sum(store_gets) AS store_gets, sum(cost_usd) AS cost_usd FROM compiles GROUP BY build) "
    "SELECT build, name AS build_name, tags, command, cwd, b.status, finished, start, start_ns, "
    "wall_ns, cpus, version, spans, traces, CAST(coalesce(compiles, 0) AS INTEGER) AS compiles, "
    "CAST(coalesce(remote, 0) AS INTEGER) AS remote, CAST(coalesce(local, 0) AS INTEGER) AS local, "
    "CAST(coalesce(failed, 0) AS INTEGER) AS failed, "
    "CAST(coalesce(invocations, 0) AS INTEGER) AS invocations, "
    "CAST(coalesce(cold_starts, 0) AS INTEGER) AS cold_starts, "
    "CAST(coalesce(workers, 0) AS INTEGER) AS workers, "
    "CAST(coalesce(bytes_up, 0) AS INTEGER) AS bytes_up, "
    "CAST(coalesce(bytes_down, 0) AS INTEGER) AS bytes_down, "
    "CAST(coalesce(store_puts, 0) AS INTEGER) AS store_puts, "
    "CAST(coalesce(store_gets, 0) AS INTEGER) AS store_gets, "
    "CAST(coalesce(cost_usd, 0.0) AS NUMERIC) AS cost_usd "
    "FROM build_rows AS b LEFT JOIN totals USING (build)";

// Puts what a query gives into a table of the file; of rows that are about a span, those of
// selected ones.
class RowCopier final : public sql::TableWriter {
 public:
  RowCopier(const Selection& selection, SqliteFile::Insert& insert)
      : selection_(selection), insert_(insert) {}
  void Begin(std::span<const std::string> columns) override {
    id_ = static_cast<size_t>(std::find(columns.begin(), columns.end(), "id") - columns.begin());
  }
  void Add(std::span<const sql::Cell> row) override {
    if (id_ < row.size() && !selection_.has(static_cast<Row>(row[id_].integer))) return;
    for (const sql::Cell& cell : row) insert_.Put(cell);
    insert_.Add();
  }
  void End() override {}

 private:
  const Selection& selection_;
  SqliteFile::Insert& insert_;
  size_t id_ = 0;
};

class SqliteExport {
 public:
  SqliteExport(const Selection& selection, bool fields, SqliteFile& file)
      : selection_(selection), columns_(selection.columns()), fields_(fields), file_(file) {}

  Result<void> Write() {
    TRY(file_.Execute("BEGIN"));
    TRY(WriteSpans());
    ASSIGN_OR_RETURN(const auto session, sql::SqlSession::Open(columns_, {}));
    TRY(WriteBuilds(*session));
    TRY(WriteRoots(*session, "compile"));
    TRY(WriteRoots(*session, "command"));
    TRY(CopyTable(*session, "machine", "machine", {}));
    TRY(file_.Execute(kPhasesView));
    TRY(file_.Execute(kBuildsView));
    TRY(file_.Execute(kIndexes));
    return file_.Execute("COMMIT");
  }

 private:
  Result<void> WriteSpans() {
    TRY(file_.Execute(kSpansTable));
    SqliteFile::Insert insert(file_, "INSERT INTO spans VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    std::string path_text;
    uint32_t last_path = traces::NamePath::kNoPath;
    const FieldKeys keys(columns_);
    std::string ids;
    std::string fields;
    // By id: then nothing is moved in the tree of rows.
    for (Row row = 0; row < columns_.size(); ++row) {
      if (!selection_.has(row)) continue;
      ids.clear();
      AppendHex(ids, columns_.traces()[columns_.trace()[row]]);
      AppendHex(ids, columns_.span_id()[row]);
      AppendHex(ids, columns_.parent_id()[row]);
      const Row parent = selection_.parent(row);
      insert.Int(row);
      parent == traces::kNoRow ? insert.Null() : insert.Int(parent);
      insert.Text(columns_.text(columns_.builds()[columns_.build()[row]].id));
      insert.Text(std::string_view(ids).substr(0, 32));
      insert.Text(std::string_view(ids).substr(32, 16));
      columns_.parent_id()[row] == 0 ? insert.Null()
                                     : insert.Text(std::string_view(ids).substr(48));
      insert.Text(columns_.text(columns_.name()[row]));
      if (const uint32_t path = columns_.path()[row]; path != last_path) {
        path_text = columns_.PathText(last_path = path);
      }
      insert.Text(path_text);
      for (const int64_t number :
           {int64_t{columns_.depth()[row]}, columns_.start_ns()[row], columns_.end_ns(row),
            columns_.duration_ns()[row], columns_.self_ns()[row], columns_.raw_start_ns(row)}) {
        insert.Int(number);
      }
      fields = "{";
      if (fields_) AppendFields(fields, columns_, keys, row);
      fields += "}";
      insert.Text(fields);
      insert.Add();
    }
    return insert.result();
  }

  // What is known of each build that has spans here; its totals are in the view `builds`.
  Result<void> WriteBuilds(sql::SqlSession& session) {
    const std::vector<std::string> left_out = {
        "spans",      "traces",      "compiles",    "remote",  "local",
        "failed",     "invocations", "cold_starts", "workers", "bytes_up",
        "bytes_down", "store_puts",  "store_gets",  "cost_usd"};
    TRY(CopyTable(session, "builds", "build_rows", left_out));
    return file_.Execute(
        "ALTER TABLE build_rows RENAME COLUMN build_name TO name;"
        "ALTER TABLE build_rows ADD COLUMN spans INTEGER;"
        "ALTER TABLE build_rows ADD COLUMN traces INTEGER;"
        "UPDATE build_rows SET (spans, traces) = (SELECT count(*), count(DISTINCT trace_id) "
        "FROM spans WHERE spans.build = build_rows.build)");
  }

  // compile_rows, of which the view `compiles` says more, and the like for commands.
  Result<void> WriteRoots(sql::SqlSession& session, const std::string& kind) {
    const std::vector<std::string> of_span = {"build",    "build_name", "trace_id",
                                              "start_ns", "end_ns",     "duration_ns"};
    TRY(CopyTable(session, kind + "s", kind + "_rows", of_span));
    std::string view = "CREATE VIEW " + kind + "s AS SELECT ";
    for (const sql::SqlColumnInfo& column : TableOf(session, kind + "s").columns) {
      if (!view.ends_with("SELECT ")) view += ", ";
      if (column.name == "build_name") {
        view += "build_rows.name AS build_name";
      } else if (std::find(of_span.begin(), of_span.end(), column.name) != of_span.end()) {
        view += "spans." + column.name + " AS " + column.name;
      } else {
        view += "r." + sql::QuoteName(column.name) + " AS " + sql::QuoteName(column.name);
      }
    }
    view += " FROM " + kind + "_rows AS r JOIN spans ON spans.id = r.id JOIN build_rows ON " +
            "build_rows.build = spans.build";
    return file_.Execute(view);
  }

  static const sql::SqlTableInfo& TableOf(const sql::SqlSession& session, const std::string& name) {
    const auto& tables = session.tables();
    return *std::find_if(tables.begin(), tables.end(),
                         [&](const sql::SqlTableInfo& table) { return table.name == name; });
  }

  std::string InSelectedBuild() const {
    std::vector<char> selected(columns_.builds().size(), 0);
    for (const Row row : selection_.rows()) selected[columns_.build()[row]] = 1;
    std::string ids;
    for (size_t build = 0; build < selected.size(); ++build) {
      if (selected[build] == 0) continue;
      ids += ids.empty() ? "'" : ",'";
      for (const char c : columns_.text(columns_.builds()[build].id)) {
        ids += c;
        if (c == '\'') ids += c;
      }
      ids += "'";
    }
    return "build IN (" + ids + ")";
  }

  // A table of the session, less some columns and with the rows that are selected.
  Result<void> CopyTable(sql::SqlSession& session, const std::string& from, const std::string& to,
                         const std::vector<std::string>& left_out) {
    std::string declared;
    std::string named;
    std::string parameters;
    for (const sql::SqlColumnInfo& column : TableOf(session, from).columns) {
      if (std::find(left_out.begin(), left_out.end(), column.name) != left_out.end()) continue;
      const std::string comma = named.empty() ? "" : ",";
      const std::string name = sql::QuoteName(column.name);
      named += comma + name;
      parameters += comma + "?";
      declared += comma + name + " " + column.type;
      if (column.name == "id" || (from == "builds" && column.name == "build")) {
        declared += " PRIMARY KEY";
      }
    }
    TRY(file_.Execute("CREATE TABLE " + to + "(" + declared + ")"));
    SqliteFile::Insert insert(file_, "INSERT INTO " + to + " VALUES(" + parameters + ")");
    RowCopier copier(selection_, insert);
    const auto rows =
        session.Run("SELECT " + named + " FROM " + from + " WHERE " + InSelectedBuild(), copier);
    if (!rows) return rows.error();
    return insert.result();
  }

  const Selection& selection_;
  const traces::Columns& columns_;
  const bool fields_;
  SqliteFile& file_;
};

}  // namespace

Result<ExportCounts> WriteSqlite(const Selection& selection, const ExportOptions& options,
                                 const std::string& path) {
  ASSIGN_OR_RETURN(SqliteFile file, SqliteFile::Create(path));
  TRY(SqliteExport(selection, options.fields, file).Write());
  TRY(file.Close());
  ExportCounts counts;
  counts.spans = selection.rows().size();
  return counts;
}

}  // namespace llama::exports
