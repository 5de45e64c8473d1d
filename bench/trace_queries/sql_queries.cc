#include "sql_queries.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/file.h"
#include "exports/formats/formats.h"
#include "exports/io/duckdb.h"
#include "measure.h"
#include "plain_sqlite.h"
#include "sql/session.h"
#include "traces/load/loader.h"

namespace llama::bench {
namespace {

struct Question {
  const char* name;
  const char* here;
  const char* plain;
  const char* duckdb;
};

constexpr Question kQuestions[] = {
    {"percentiles by name",
     R"(SELECT name, count(*), percentiles(duration_ns, 50, 95, 99) FROM spans GROUP BY name)",
     R"(SELECT name, count(*), percentiles(duration, 50, 95, 99) FROM spans GROUP BY name)",
     R"(SELECT name, count(*), quantile_disc(duration_ns, [0.5, 0.95, 0.99]) FROM spans
        GROUP BY name)"},
    {"the same one by one",
     R"(SELECT name, count(*), p50(duration_ns), p95(duration_ns), p99(duration_ns) FROM spans
        GROUP BY name)",
     R"(SELECT name, count(*), p50(duration), p95(duration), p99(duration) FROM spans
        GROUP BY name)",
     R"(SELECT name, count(*), quantile_disc(duration_ns, 0.5), quantile_disc(duration_ns, 0.95),
        quantile_disc(duration_ns, 0.99) FROM spans GROUP BY name)"},
    {"phases",
     R"(SELECT build, name, count, p50_ns, p95_ns, p99_ns FROM phases ORDER BY sum_ns DESC)",
     R"(SELECT build, name, count(*), p50(duration), p95(duration), p99(duration) FROM spans
        GROUP BY 1, 2 ORDER BY sum(duration) DESC)",
     R"(SELECT build, name, count(*), quantile_disc(duration_ns, [0.5, 0.95, 0.99]) FROM spans
        GROUP BY 1, 2 ORDER BY sum(duration_ns) DESC)"},
    {"upload sum by build",
     R"(SELECT build, sum(uploaded_bytes) FROM spans WHERE name = 'sync' GROUP BY build)",
     R"(SELECT build, sum(json_extract(fields, '$.uploaded_bytes')) FROM spans
        WHERE name = 'sync' GROUP BY build)",
     R"(SELECT build, sum(uploaded_bytes) FROM spans WHERE name = 'sync' GROUP BY build)"},
    {"by worker",
     R"(SELECT worker_id, count(*), sum(duration_ns), sum(cold_start) FROM spans
        WHERE name = 'invoke' GROUP BY worker_id ORDER BY 2 DESC LIMIT 10)",
     R"(SELECT json_extract(fields, '$.worker_id'), count(*), sum(duration),
        sum(json_extract(fields, '$.cold_start')) FROM spans
        WHERE name = 'invoke' GROUP BY 1 ORDER BY 2 DESC LIMIT 10)",
     R"(SELECT worker_id, count(*), sum(duration_ns), sum(cold_start::INT) FROM spans
        WHERE name = 'invoke' GROUP BY worker_id ORDER BY 2 DESC LIMIT 10)"},
    {"concurrency per second",
     R"(SELECT s, sum(sum(d)) OVER (ORDER BY s) FROM (
        SELECT start_ns / 1000000000 s, 1 d FROM spans WHERE name = 'invoke' UNION ALL
        SELECT end_ns / 1000000000, -1 FROM spans WHERE name = 'invoke') GROUP BY s)",
     R"(SELECT s, sum(sum(d)) OVER (ORDER BY s) FROM (
        SELECT start / 1000000000 s, 1 d FROM spans WHERE name = 'invoke' UNION ALL
        SELECT (start + duration) / 1000000000, -1 FROM spans WHERE name = 'invoke') GROUP BY s)",
     R"(SELECT s, sum(sum(d)) OVER (ORDER BY s) FROM (
        SELECT start_ns // 1000000000 s, 1 d FROM spans WHERE name = 'invoke' UNION ALL
        SELECT (start_ns + duration_ns) // 1000000000, -1 FROM spans WHERE name = 'invoke')
        GROUP BY s)"},
    {"two builds by file",
     R"(SELECT a.file, b.duration_ns - a.duration_ns FROM compiles a JOIN compiles b USING (file)
        WHERE a.build = :a AND b.build = :b ORDER BY 2 DESC LIMIT 10)",
     // Materialised, or SQLite looks at every pair.
     R"(WITH a AS MATERIALIZED (SELECT json_extract(fields, '$.source') file, duration FROM spans
        WHERE name = 'llamacc' AND build = :a),
        b AS MATERIALIZED (SELECT json_extract(fields, '$.source') file, duration FROM spans
        WHERE name = 'llamacc' AND build = :b)
        SELECT file, b.duration - a.duration FROM a JOIN b USING (file) ORDER BY 2 DESC LIMIT 10)",
     R"(SELECT source, b.duration_ns - a.duration_ns FROM spans a JOIN spans b USING (source)
        WHERE a.name = 'llamacc' AND b.name = 'llamacc' AND a.build = :a AND b.build = :b
        ORDER BY 2 DESC LIMIT 10)"},
    {"children of root",
     R"(SELECT name, count(*), sum(duration_ns) FROM spans WHERE depth = 1 GROUP BY name)",
     R"(SELECT c.name, count(*), sum(c.duration) FROM spans p JOIN spans c
        ON c.parent_id = p.span_id AND c.trace_id = p.trace_id WHERE p.name = 'llamacc'
        GROUP BY c.name)",
     R"(SELECT name, count(*), sum(duration_ns) FROM spans WHERE depth = 1 GROUP BY name)"},
    {"the same by a join",
     R"(SELECT c.name, count(*), sum(c.duration_ns) FROM spans p JOIN spans c ON c.parent = p.id
        WHERE p.name = 'llamacc' GROUP BY c.name)",
     R"(SELECT c.name, count(*), sum(c.duration) FROM spans p JOIN spans c
        ON c.parent_id = p.span_id AND c.trace_id = p.trace_id WHERE p.name = 'llamacc'
        GROUP BY c.name)",
     R"(SELECT c.name, count(*), sum(c.duration_ns) FROM spans p JOIN spans c
        ON c.parent_id = p.span_id AND c.trace_id = p.trace_id WHERE p.name = 'llamacc'
        GROUP BY c.name)"},
    {"self time by name", R"(SELECT name, sum(self_ns) FROM spans GROUP BY name ORDER BY 2 DESC)",
     R"(SELECT p.name, sum(p.duration - coalesce((SELECT sum(c.duration) FROM spans c
        WHERE c.parent_id = p.span_id AND c.trace_id = p.trace_id), 0)) FROM spans p
        GROUP BY p.name ORDER BY 2 DESC)",
     R"(SELECT name, sum(self_ns) FROM spans GROUP BY name ORDER BY 2 DESC)"},
    {"any field",
     R"(SELECT name, count(*), max(max_rss_bytes) FROM spans WHERE max_rss_bytes > 100000000
        GROUP BY name)",
     R"(SELECT name, count(*), max(json_extract(fields, '$.max_rss_bytes')) FROM spans
        WHERE json_extract(fields, '$.max_rss_bytes') > 100000000 GROUP BY name)",
     R"(SELECT name, count(*), max(max_rss_bytes) FROM spans WHERE max_rss_bytes > 100000000
        GROUP BY name)"},
    {"slowest compiles",
     R"(SELECT file, duration_ns, exec_ns, invoke_ns - worker_ns FROM compiles
        ORDER BY duration_ns DESC LIMIT 10)",
     R"(SELECT json_extract(fields, '$.source'), duration FROM spans WHERE name = 'llamacc'
        ORDER BY 2 DESC LIMIT 10)",
     R"(SELECT source, duration_ns FROM spans WHERE name = 'llamacc' ORDER BY 2 DESC LIMIT 10)"},
};

// :a and :b replaced by the builds, since a script has no parameters.
std::string WithBuilds(std::string sql, const std::string& a, const std::string& b) {
  const auto replace = [&](std::string_view what, const std::string& id) {
    const size_t at = sql.find(what);
    if (at != std::string::npos) sql.replace(at, what.size(), "'" + id + "'");
  };
  replace(":a", a);
  replace(":b", b);
  return sql;
}

template <typename F>
std::optional<double> CpuMs(F&& f) {
  const double before_s = UsageNow().cpu_s;
  if (!f()) return std::nullopt;
  return (UsageNow().cpu_s - before_s) * 1000;
}

template <typename F>
std::optional<double> BestMs(int times, F&& f) {
  std::optional<double> best;
  for (int i = 0; i < times; ++i) {
    const auto ms = CpuMs(f);
    if (!ms) return std::nullopt;
    best = std::min(best.value_or(*ms), *ms);
  }
  return best;
}

bool Told(const Result<void>& result) {
  if (!result) std::fprintf(stderr, "trace_queries: %s\n", result.error().message.c_str());
  return result.has_value();
}

// The same spans in a table of DuckDB's own, every field a column.
Result<std::unique_ptr<exports::DuckDb>> ImportDuckDb(const traces::Columns& columns,
                                                      const std::string& library,
                                                      const std::string& folder) {
  ASSIGN_OR_RETURN(const exports::Selection selection, exports::Selection::Of(columns));
  exports::ExportOptions options;
  options.duckdb_library = library;
  const std::string file = folder + "/spans.parquet";
  ASSIGN_OR_RETURN(const auto written, exports::WriteParquet(selection, options, file));
  ASSIGN_OR_RETURN(const exports::DuckDbApi api, exports::LoadDuckDb(library));
  ASSIGN_OR_RETURN(auto database, exports::DuckDb::Open(api));
  TRY(database->Run("CREATE TABLE spans AS SELECT * FROM '" + file + "'"));
  return database;
}

struct Timed {
  std::string name;
  std::optional<double> first_ms, here_ms, plain_ms, duckdb_ms;
};

void Print(const Timed& row, bool json) {
  const auto number = [&](const char* key, std::optional<double> ms) {
    if (json && ms) std::printf(",\"%s\":%.1f", key, *ms);
    if (!json && ms) std::printf("%10.0f", *ms);
    if (!json && !ms) std::printf("%10s", "");
  };
  std::printf(json ? "{\"query\":\"%s\"" : "%-24s", row.name.c_str());
  number("first_cpu_ms", row.first_ms);
  number("cpu_ms", row.here_ms);
  number("plain_cpu_ms", row.plain_ms);
  number("duckdb_cpu_ms", row.duckdb_ms);
  if (row.plain_ms && row.here_ms) {
    const double ratio = *row.plain_ms / std::max(*row.here_ms, 0.1);
    std::printf(json ? ",\"ratio\":%.1f" : "%9.1fx", ratio);
  }
  std::printf(json ? "}\n" : "\n");
  std::fflush(stdout);
}

}  // namespace

int RunSqlQueries(const SqlBench& bench) {
  const auto columns = traces::LoadBuilds(bench.build_dirs);
  if (!columns) {
    std::fprintf(stderr, "trace_queries: %s\n", columns.error().message.c_str());
    return 1;
  }
  const auto session = sql::SqlSession::Open(*columns, {});
  const auto dir = TempDir::Create();
  if (!session || !dir) return 1;
  const auto builds = columns->builds();
  const std::string b(columns->text(builds[builds.size() - 1].id));
  const std::string a(columns->text(builds[builds.size() > 1 ? builds.size() - 2 : 0].id));

  if (!bench.json) {
    std::printf("%u spans; CPU ms\n%-24s%10s%10s%10s%10s%10s\n", columns->size(), "", "first",
                "llama", "SQLite", "DuckDB", "ratio");
  }
  std::unique_ptr<PlainSqlite> plain;
  Result<std::unique_ptr<exports::DuckDb>> duckdb = std::unique_ptr<exports::DuckDb>();
  Timed import{"import", {}, {}, {}, {}};
  if (bench.plain) {
    import.plain_ms = CpuMs([&] {
      plain = PlainSqlite::Import(*columns, dir->path() + "/plain.db");
    return plain != nullptr;
  });
  if (!import.plain_ms) return 1;
}
if (!bench.duckdb.empty()) {
    import.duckdb_ms = CpuMs([&] {
      duckdb = ImportDuckDb(*columns, bench.duckdb, dir->path());
    return true;
});
if (!duckdb) {
  std::fprintf(stderr, "trace_queries: %s\n", duckdb.error().message.c_str());
  return 1;
}
}  // namespace llama::bench
Print(import, bench.json);
const auto out = sql::TableWriter::Create({sql::TableFormat::kCsv}, [](std::string_view) {});
for (const Question& question : kQuestions) {
  Timed row{question.name, {}, {}, {}, {}};
  const auto here = [&] {
    const auto rows = (*session)->Run(WithBuilds(question.here, a, b), *out);
    return Told(rows ? Result<void>() : Result<void>(rows.error()));
  };
  row.first_ms = CpuMs(here);
  row.here_ms = BestMs(3, here);
  if (!row.here_ms) return 1;
  if (plain) row.plain_ms = CpuMs([&] { return plain->Run(WithBuilds(question.plain, a, b)); });
  if (*duckdb) {
    row.duckdb_ms =
        BestMs(3, [&] { return Told((*duckdb)->Run(WithBuilds(question.duckdb, a, b))); });
  }
  Print(row, bench.json);
}
return 0;
}

}  // namespace llama::bench
