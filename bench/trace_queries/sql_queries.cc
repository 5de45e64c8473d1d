#include "sql_queries.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/file.h"
#include "measure.h"
#include "report/loader.h"
#include "report/sql_functions.h"
#include "report/sql_session.h"

namespace llama::bench {
namespace {

struct Question {
  const char* name;
  const char* here;
  const char* plain;  // "": it is not asked there
};

constexpr Question kQuestions[] = {
    {"percentiles_by_name",
     "SELECT name, count(*), p50(duration_ns), p95(duration_ns), p99(duration_ns) FROM spans GROUP "
     "BY "
     "name",
     "SELECT name, count(*), p50(duration), p95(duration), p99(duration) FROM spans GROUP BY name"},
    {"percentiles_by_name_at_once",
     "SELECT name, count(*), percentiles(duration_ns, 50, 95, 99) FROM spans GROUP BY name",
     "SELECT name, count(*), percentiles(duration, 50, 95, 99) FROM spans GROUP BY name"},
    {"phases", "SELECT build, name, count, p50_ns, p95_ns, p99_ns FROM phases ORDER BY sum_ns DESC",
     "SELECT build, name, count(*), p50(duration), p95(duration), p99(duration) FROM spans GROUP "
     "BY "
     "1, 2 ORDER BY sum(duration) DESC"},
    {"upload_sum_by_build",
     "SELECT build, sum(uploaded_bytes) FROM spans WHERE name = 'sync' GROUP BY build",
     "SELECT build, sum(json_extract(fields, '$.uploaded_bytes')) FROM spans WHERE name = 'sync' "
     "GROUP BY build"},
    {"by_worker",
     "SELECT worker_id, count(*), sum(duration_ns), sum(cold_start) FROM spans WHERE name = "
     "'invoke' "
     "GROUP BY worker_id ORDER BY 2 DESC LIMIT 10",
     "SELECT json_extract(fields, '$.worker_id'), count(*), sum(duration), "
     "sum(json_extract(fields, '$.cold_start')) FROM spans WHERE name = 'invoke' GROUP BY 1 ORDER "
     "BY 2 "
     "DESC LIMIT 10"},
    {"concurrency_per_second",
     "SELECT s, sum(sum(d)) OVER (ORDER BY s) FROM (SELECT start_ns / 1000000000 s, 1 d FROM spans "
     "WHERE name = 'invoke' UNION ALL SELECT end_ns / 1000000000, -1 FROM spans WHERE name = "
     "'invoke') GROUP BY s",
     "SELECT s, sum(sum(d)) OVER (ORDER BY s) FROM (SELECT start / 1000000000 s, 1 d FROM spans "
     "WHERE name = 'invoke' UNION ALL SELECT (start + duration) / 1000000000, -1 FROM spans WHERE "
     "name = 'invoke') GROUP BY s"},
    {"two_builds_by_file",
     "SELECT a.file, b.duration_ns - a.duration_ns FROM compiles a JOIN compiles b USING (file) "
     "WHERE "
     "a.build = :a AND b.build = :b ORDER BY 2 DESC LIMIT 10",
     "SELECT a.file, b.duration - a.duration FROM (SELECT json_extract(fields, '$.source') file, "
     "duration FROM spans WHERE name = 'llamacc' AND build = :a) a JOIN (SELECT "
     "json_extract(fields, "
     "'$.source') file, duration FROM spans WHERE name = 'llamacc' AND build = :b) b USING (file) "
     "ORDER BY 2 DESC LIMIT 10"},
    {"children_of_root",
     "SELECT name, count(*), sum(duration_ns) FROM spans WHERE depth = 1 GROUP BY name",
     "SELECT c.name, count(*), sum(c.duration) FROM spans p JOIN spans c ON c.parent_id = "
     "p.span_id "
     "AND c.trace_id = p.trace_id WHERE p.name = 'llamacc' GROUP BY c.name"},
    {"children_of_root_joined",
     "SELECT c.name, count(*), sum(c.duration_ns) FROM spans p JOIN spans c ON c.parent = p.id "
     "WHERE "
     "p.name = 'llamacc' GROUP BY c.name",
     "SELECT c.name, count(*), sum(c.duration) FROM spans p JOIN spans c ON c.parent_id = "
     "p.span_id "
     "AND c.trace_id = p.trace_id WHERE p.name = 'llamacc' GROUP BY c.name"},
    {"self_time_by_name", "SELECT name, sum(self_ns) FROM spans GROUP BY name ORDER BY 2 DESC",
     "SELECT p.name, sum(p.duration - coalesce((SELECT sum(c.duration) FROM spans c WHERE "
     "c.parent_id = p.span_id AND c.trace_id = p.trace_id), 0)) FROM spans p GROUP BY p.name ORDER "
     "BY "
     "2 DESC"},
    {"any_field",
     "SELECT name, count(*), max(max_rss_bytes) FROM spans WHERE max_rss_bytes > 100000000 GROUP "
     "BY "
     "name",
     "SELECT name, count(*), max(json_extract(fields, '$.max_rss_bytes')) FROM spans WHERE "
     "json_extract(fields, '$.max_rss_bytes') > 100000000 GROUP BY name"},
    {"slowest_compiles",
     "SELECT file, duration_ns, exec_ns, invoke_ns - worker_ns FROM compiles ORDER BY duration_ns "
     "DESC "
     "LIMIT 10",
     "SELECT json_extract(fields, '$.source'), duration FROM spans WHERE name = 'llamacc' ORDER BY "
     "2 "
     "DESC LIMIT 10"},
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

class Plain {
 public:
  static std::unique_ptr<Plain> Import(const report::Columns& columns, const std::string& path);
  ~Plain() { sqlite3_close_v2(connection_); }
  bool Run(const std::string& sql);

 private:
  bool Fill(const report::Columns& columns);
  sqlite3* connection_ = nullptr;
};

std::unique_ptr<Plain> Plain::Import(const report::Columns& columns, const std::string& path) {
  auto plain = std::make_unique<Plain>();
  if (sqlite3_open(path.c_str(), &plain->connection_) != SQLITE_OK) return nullptr;
  if (!report::AddFunctions(plain->connection_) || !plain->Fill(columns)) return nullptr;
  return plain;
}

bool Plain::Fill(const report::Columns& columns) {
  if (!Run("PRAGMA journal_mode=OFF") || !Run("PRAGMA synchronous=OFF") ||
      !Run("PRAGMA cache_size=-524288") || !Run("PRAGMA mmap_size=2147418112") ||
      !Run("CREATE TABLE spans(build TEXT, trace_id TEXT, span_id TEXT, parent_id TEXT, name TEXT, "
           "start INTEGER, duration INTEGER, fields TEXT)") ||
      !Run("BEGIN")) {
    return false;
  }
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(connection_, "INSERT INTO spans VALUES(?,?,?,?,?,?,?,?)", -1, &insert,
                     nullptr);
  const auto text = [&](int i, std::string_view s) {
    sqlite3_bind_text(insert, i, s.data(), static_cast<int>(s.size()), SQLITE_TRANSIENT);
  };
  std::string fields;
  for (report::Row row = 0; row < columns.size(); ++row) {
    text(1, columns.text(columns.builds()[columns.build()[row]].id));
    text(2, trace::Hex(columns.traces()[columns.trace()[row]]));
    text(3, trace::Hex(columns.span_id()[row]));
    text(4, columns.parent_id()[row] == 0 ? "" : trace::Hex(columns.parent_id()[row]));
    text(5, columns.text(columns.name()[row]));
    sqlite3_bind_int64(insert, 6, columns.start_ns()[row]);
    sqlite3_bind_int64(insert, 7, columns.duration_ns()[row]);
    fields.clear();
    columns.AppendFieldsJson(fields, row);
    text(8, fields);
    sqlite3_step(insert);
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  return Run("COMMIT") && Run("CREATE INDEX by_name ON spans(name)") &&
         Run("CREATE INDEX by_parent ON spans(parent_id)") &&
         Run("CREATE INDEX by_id ON spans(span_id)") && Run("ANALYZE");
}

bool Plain::Run(const std::string& sql) {
  char* error = nullptr;
  const int rc = sqlite3_exec(
      connection_, sql.c_str(), [](void*, int, char**, char**) { return 0; }, nullptr, &error);
  if (rc != SQLITE_OK) std::fprintf(stderr, "trace_queries: %s: %s\n", sql.c_str(), error);
  sqlite3_free(error);
  return rc == SQLITE_OK;
}

template <typename F>
std::optional<double> CpuMs(F&& f) {
  const double before_s = UsageNow().cpu_s;
  if (!f()) return std::nullopt;
  return (UsageNow().cpu_s - before_s) * 1000;
}

}  // namespace

int RunSqlQueries(const std::vector<std::string>& build_dirs, bool with_plain) {
  const auto columns = report::LoadBuilds(build_dirs);
  if (!columns) {
    std::fprintf(stderr, "trace_queries: %s\n", columns.error().message.c_str());
    return 1;
  }
  const auto session = report::SqlSession::Open(*columns, {});
  if (!session) return 1;
  const auto builds = columns->builds();
  const std::string b(columns->text(builds[builds.size() - 1].id));
  const std::string a(columns->text(builds[builds.size() > 1 ? builds.size() - 2 : 0].id));

  const auto dir = TempDir::Create();
  if (!dir) return 1;
  std::unique_ptr<Plain> plain;
  if (with_plain) {
    const auto import_ms = CpuMs([&] {
      plain = Plain::Import(*columns, dir->path() + "/plain.db");
      return plain != nullptr;
    });
    if (!import_ms) return 1;
    std::printf("{\"query\":\"import\",\"plain_cpu_ms\":%.0f}\n", *import_ms);
  }
  const auto out =
      report::TableWriter::Create({report::TableFormat::kCsv}, [](std::string_view) {});
  for (const Question& question : kQuestions) {
    std::optional<double> first_ms;
    double best_ms = 1e12;
    for (int i = 0; i < 3; ++i) {
      const auto ms = CpuMs([&] {
        const auto rows = (*session)->Run(WithBuilds(question.here, a, b), *out);
        if (!rows) std::fprintf(stderr, "trace_queries: %s\n", rows.error().message.c_str());
        return rows.has_value();
      });
      if (!ms) return 1;
      if (!first_ms) first_ms = ms;
      best_ms = std::min(best_ms, *ms);
    }
    std::printf("{\"query\":\"%s\",\"first_cpu_ms\":%.0f,\"cpu_ms\":%.0f", question.name, *first_ms,
                best_ms);
    if (plain) {
      const auto ms = CpuMs([&] { return plain->Run(WithBuilds(question.plain, a, b)); });
      if (!ms) return 1;
      std::printf(",\"plain_cpu_ms\":%.0f,\"ratio\":%.1f", *ms, *ms / best_ms);
    }
    std::printf("}\n");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace llama::bench
