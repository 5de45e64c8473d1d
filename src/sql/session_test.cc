#include "sql/session.h"

#include <gtest/gtest.h>

#include "sql/names.h"
#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::sql {
namespace {

// What the statements print as CSV, a line a row without the header; or the error.
class Database {
 public:
  explicit Database(std::string_view ndjson, SqlSession::Options options = {})
      : columns_(traces::LoadText(ndjson)) {
    auto session = SqlSession::Open(columns_, std::move(options));
    EXPECT_TRUE(session) << session.error().message;
    if (session) session_ = *std::move(session);
  }
  std::string Ask(std::string_view sql) {
    std::string out;
    const auto writer = TableWriter::Create({TableFormat::kCsv}, [&](std::string_view text) {
      out.append(text.substr(0, text.size() - 2)).append("\n");
    });
    const auto rows = session_->Run(sql, *writer);
    if (!rows) return rows.error().message;
    return out.substr(out.find('\n') + 1);
  }
  SqlSession& session() { return *session_; }

 private:
  traces::Columns columns_;
  std::unique_ptr<SqlSession> session_;
};

// One remote compile with its worker, one local, and their build.
std::string SmallBuild() {
  const std::string id = R"("global.build_id":"b1")";
  return traces::SpanText(
             9, 1, 0, "build", 0, 5000,
             id + R"(,"name":"before","command":"make","cpus":4,"status":0,"tags.branch":"main")") +
         traces::SpanText(9, 2, 1, "machine", 0, 1000,
                          R"("cpu.user_ns":2000000000,"cpu.system_ns":1000000000,"cpu.cores":4)") +
         traces::SpanText(
             1, 1, 0, "llamacc", 100, 1000,
             id + R"(,"source":"a.c","object":"a.o","remote":true,"rung":"scan","status":0)") +
         traces::SpanText(1, 2, 1, "sync", 100, 50, R"("uploaded_bytes":1000,"store_requests":2)") +
         traces::SpanText(
             1, 3, 1, "invoke", 150, 900,
             R"("payload_bytes":200,"answer_bytes":300,"fetched_bytes":10,"fetched_objects":1,)"
             R"("queued_ns":40000000,"retried_ns":10000000,"init_ns":60000000,"cold_start":true,"worker_id":"w1",)"
             R"("billed_ms":700,"memory_mb":1769,"max_rss_bytes":5000)") +
         traces::SpanText(1, 4, 3, "worker", 300, 700, "") +
         traces::SpanText(1, 5, 4, "exec", 310, 600, R"("user_ns":500000000)") +
         traces::SpanText(2, 1, 0, "llamacc", 2100, 400,
                          id + R"(,"source":"b.c","object":"b.o","remote":false,"reason":"link")") +
         traces::SpanText(2, 2, 1, "local", 2150, 300, "");
}

TEST(SqlSessionTest, AnswersOverItsTables) {
  struct Case {
    const char* sql;
    const char* answer;
  };
  const Case cases[] = {
      {"SELECT count(*) FROM spans", "9\n"},
      {"SELECT build, build_name, trace_id, span_id, parent_id, name, start, duration_ns, depth, "
       "path, id, parent FROM spans WHERE name = 'sync'",
       "b1,before,0000000000000abc0000000000000001,0000000000000002,0000000000000001,sync,"
       "2026-11-22T08:20:50.100000000Z,50000000,1,llamacc>sync,3,2\n"},
      {"SELECT name FROM spans WHERE parent IS NULL ORDER BY start_ns",
       "build\nllamacc\nllamacc\n"},
      {"SELECT second, name FROM spans WHERE second > 1 ORDER BY 1, 2", "2,llamacc\n2,local\n"},
      {"SELECT sum(self_ns) / 1000000 FROM spans WHERE name = 'invoke'", "200\n"},
      {"SELECT fields FROM spans WHERE name = 'exec'", "\"{\"\"user_ns\"\":500000000}\"\n"},
      {"SELECT fields->>'user_ns' FROM spans WHERE name = 'exec'", "500000000\n"},
      {"SELECT \"cpu.cores\" FROM spans WHERE name = 'machine'", "4\n"},
      // A field that a span might have had.
      {"SELECT count(*), count(error) FROM spans WHERE error IS NULL", "9,0\n"},
      {"SELECT name FROM spans WHERE error LIKE '%x%'", ""},
      // `name`, a field of the build, is what all spans have, too.
      {"SELECT name_field, \"tags.branch\" FROM spans WHERE name = 'build'", "before,main\n"},
      {"SELECT c.name FROM spans p JOIN spans c ON c.parent = p.id WHERE p.name = 'worker'",
       "exec\n"},
      {"SELECT p.name FROM spans c JOIN spans p ON p.rowid = c.parent WHERE c.name = 'exec'",
       "worker\n"},
      {"SELECT file, output, remote, reason, rung, status, cold_start, worker_id FROM compiles",
       "a.c,a.o,1,,scan,0,1,w1\nb.c,b.o,0,link,,,,\n"},
      {"SELECT sync_ns, invoke_ns, queued_ns, init_ns, transit_ns, worker_ns, exec_ns, local_ns "
       "FROM compiles WHERE remote",
       "50000000,900000000,40000000,60000000,90000000,700000000,600000000,\n"},
      {"SELECT bytes_up, bytes_down, store_puts, store_gets, billed_ms, max_rss_bytes, invocations "
       "FROM compiles ORDER BY start_ns",
       "1200,310,2,1,700,5000,1\n,,,,,,0\n"},
      {"SELECT round(cost_usd * 1e6, 4) FROM compiles WHERE file = 'a.c'", "30.7547\n"},
      {"SELECT build, build_name, tags, command, status, finished, wall_ns, cpus, spans, traces, "
       "compiles, remote, local, invocations, cold_starts, workers, bytes_up FROM builds",
       "b1,before,\"{\"\"branch\"\":\"\"main\"\"}\",make,0,1,5000000000,4,9,3,2,1,1,1,1,1,1200\n"},
      {"SELECT name, count, sum_ns, self_ns, p50_ns, p95_ns, max_ns FROM phases WHERE name LIKE "
       "'llama%'",
       "llamacc,2,1400000000,150000000,400000000,1000000000,1000000000\n"},
      {"SELECT round(sum(share), 9) FROM phases", "1\n"},
      {"SELECT second, cpu_user_ns, disk_busy_ns, cpu_share FROM machine", "0,2000000000,,0.75\n"},
      {"SELECT count(*) FROM commands", "0\n"},
      {"VALUES (1); ; SELECT 2 AS n -- the end", "1\nn\n2\n"},
  };
  Database database(SmallBuild());
  for (const Case& c : cases) EXPECT_EQ(database.Ask(c.sql), c.answer) << c.sql;
}

TEST(SqlSessionTest, AggregatesByNearestRank) {
  std::string text;
  for (int i = 1; i <= 20; ++i) text += traces::SpanText(i, 1, 0, i % 2 == 0 ? "a" : "b", i, i, "");
  text += traces::SpanText(30, 1, 0, "none", 0, 0, R"("x":"text")");
  text += traces::SpanText(31, 1, 0, "real", 0, 0, R"("x":1.5)") +
          traces::SpanText(32, 1, 0, "real", 0, 0, R"("x":2)");
  Database database(text);
  const struct {
    const char* sql;
    const char* answer;
  } cases[] = {
      {"SELECT name, p50(duration_ns)/1000000, p95(duration_ns)/1000000, p99(duration_ns)/1000000 "
       "FROM spans WHERE name < 'c' GROUP BY name",
       "a,10,20,20\nb,9,19,19\n"},
      {"SELECT percentile(duration_ns, 25)/1000000, percentile(duration_ns, 0)/1000000 FROM spans "
       "WHERE name < 'c'",
       "5,1\n"},
      {"SELECT percentiles(id, 10, 50.0, 100) FROM spans WHERE name < 'c'", "\"[1,9,19]\"\n"},
      {"SELECT p50(x), percentile(x, 50), percentiles(x, 50), histogram(x) FROM spans WHERE name = "
       "'none'",
       ",,[null],[]\n"},
      {"SELECT p50(x) FROM spans WHERE name = 'absent'", "\n"},
      {"SELECT p50(x), percentile(x, 100) FROM spans WHERE name = 'real'", "1.5,2\n"},
      {"SELECT histogram(x) FROM spans WHERE name = 'real'",
       "\"[{\"\"from\"\":1,\"\"to\"\":2,\"\"count\"\":1},{\"\"from\"\":2,\"\"to\"\":5,"
       "\"\"count\"\":1}]\"\n"},
      {"SELECT value->>'from', value->>'count' FROM json_each((SELECT histogram(id, 10) FROM "
       "spans))",
       "0,10\n10,10\n20,3\n"},
  };
  for (const auto& c : cases) EXPECT_EQ(database.Ask(c.sql), c.answer) << c.sql;
  for (const char* sql :
       {"SELECT percentile(id, 101) FROM spans", "SELECT percentile(id, 'x') FROM spans",
        "SELECT percentile(id, NULL) FROM spans", "SELECT percentiles(id) FROM spans",
        "SELECT histogram(id, 0) FROM spans", "SELECT histogram(id, 1e-9) FROM spans"}) {
    EXPECT_FALSE(database.session().Run(sql, *TableWriter::Create({}, [](auto) {}))) << sql;
  }
}

TEST(SqlSessionTest, ColumnsOfVaryingTypeLoseNothing) {
  std::string text;
  const char* values[] = {
      "1", "2.5", "\"1\"", "true", "null", "[1,{\"a\":2}]", "18446744073709551615"};
  int i = 0;
  for (const char* value : values) {
    ++i;
    text += traces::SpanText(i, 1, 0, "s", i, 1, std::string("\"x\":") + value);
  }
  text += traces::SpanText(i + 1, 1, 0, "s", i + 1, 1, "");
  Database database(text);
  EXPECT_EQ(database.Ask("SELECT x, typeof(x), fields FROM spans ORDER BY id"),
            "1,integer,\"{\"\"x\"\":1}\"\n"
            "2.5,real,\"{\"\"x\"\":2.5}\"\n"
            "1,text,\"{\"\"x\"\":\"\"1\"\"}\"\n"
            "1,integer,\"{\"\"x\"\":true}\"\n"
            ",null,\"{\"\"x\"\":null}\"\n"
            "\"[1,{\"\"a\"\":2}]\",text,\"{\"\"x\"\":[1,{\"\"a\"\":2}]}\"\n"
            "18446744073709551615,text,\"{\"\"x\"\":18446744073709551615}\"\n"
            ",null,{}\n");
  EXPECT_EQ(database.Ask("SELECT count(*) FROM spans WHERE x = 1"), "2\n");
  EXPECT_EQ(database.Ask("SELECT count(*) FROM spans WHERE x IS NULL"), "2\n");
  EXPECT_EQ(
      database.Ask("SELECT json_object('v', x) FROM spans WHERE json_valid(x) AND x LIKE '[%'"),
      "\"{\"\"v\"\":[1,{\"\"a\"\":2}]}\"\n");
}

TEST(SqlSessionTest, FieldsBecomeColumnsUnderSomeName) {
  Database database(traces::SpanText(1, 1, 0, "s", 0, 1,
                                     R"("Status":1,"status":2,"name":"n","name_field":"m","a b":3,)"
                                     R"("q\"q":4,"":5,"select":6,"rowid":7)"));
  EXPECT_EQ(database.Ask("SELECT Status, status_2, name, name_field, name_field_2, \"a b\", "
                         "\"q\"\"q\", field, \"select\" FROM spans"),
            "1,2,s,n,m,3,4,5,6\n");
  EXPECT_EQ(QuoteName("plain_1"), "plain_1");
  EXPECT_EQ(QuoteName("order"), "\"order\"");
  EXPECT_EQ(QuoteName("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteName(""), "\"\"");
}

TEST(SqlSessionTest, TheRarestOfVeryManyFieldsAreOnlyInFields) {
  std::string text;
  for (int span = 0; span < 2; ++span) {
    std::string fields;
    for (int i = span * 100; i < 2100; ++i) {
      fields += (fields.empty() ? "\"f" : ",\"f") + std::to_string(i) + "\":" + std::to_string(i);
    }
    text += traces::SpanText(span + 1, 1, 0, "s", span, 1, fields);
  }
  Database database(text);
  EXPECT_EQ(database.session().fields_without_column(), 118u);
  EXPECT_EQ(database.Ask("SELECT f2081, fields->>'f2099' FROM spans WHERE id = 0"), "2081,2099\n");
  EXPECT_EQ(database.Ask("SELECT count(f100), sum(fields->>'f3') FROM spans"), "2,3\n");
  EXPECT_NE(database.Ask("SELECT f3 FROM spans").find("no such column: f3"), std::string::npos);
}

TEST(SqlSessionTest, RefusesWhatIsNoQuery) {
  Database database(SmallBuild());
  for (const char* sql :
       {"CREATE TABLE t(a)", "CREATE TEMP TABLE t(a)", "DELETE FROM spans",
        "UPDATE spans SET name = 'x'", "INSERT INTO builds VALUES (1)", "DROP VIEW machine",
        "ATTACH '/tmp/x' AS x", "VACUUM INTO '/tmp/x'", "PRAGMA writable_schema=1",
        "PRAGMA temp_store_directory='/'", "BEGIN", "SAVEPOINT s", "DETACH main", "ANALYZE",
        "CREATE VIRTUAL TABLE v USING fts5(a)", "SELECT load_extension('x')"}) {
    const std::string answer = database.Ask(sql);
    EXPECT_TRUE(answer.find("only queries") != std::string::npos ||
                answer.find("may not be modified") != std::string::npos ||
                answer.find("not authorized") != std::string::npos)
        << sql << ": " << answer;
  }
  EXPECT_EQ(database.Ask("SELECT count(*) FROM spans"), "9\n");
}

TEST(SqlSessionTest, ErrorsNameThePlace) {
  Database database(SmallBuild());
  const struct {
    const char* sql;
    const char* message;
  } cases[] = {
      {"SELECT naem FROM compiles",
       "no such column: naem; did you mean name? (line 1, column 8)\n"
       "  SELECT naem FROM compiles\n"
       "         ^"},
      {"SELECT 1;\nSELECT 'ü',\n  nix\n  FROM spans",
       "no such column: nix; .schema lists what there is (line 3, column 3)\n"
       "    nix\n"
       "    ^"},
      {"SELECT * FROM spam",
       "no such table: spam; did you mean spans? (line 1, column 15)\n"
       "  SELECT * FROM spam\n"
       "                ^"},
      {"SELECT 1 1", "near \"1\": syntax error (line 1, column 10)\n  SELECT 1 1\n           ^"},
      {"SELECT", "incomplete input"},
  };
  for (const auto& c : cases) EXPECT_EQ(database.Ask(c.sql), c.message) << c.sql;
}

TEST(SqlSessionTest, CanBeCancelled) {
  bool cancel = false;
  SqlSession::Options options;
  options.cancelled = [&] { return cancel; };
  Database database(SmallBuild(), std::move(options));
  const char* endless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
  cancel = true;
  const auto rows = database.session().Run(endless, *TableWriter::Create({}, [](auto) {}));
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, Code::kCancelled);
  cancel = false;
  EXPECT_EQ(database.Ask("SELECT 1"), "1\n");
}

TEST(SqlSessionTest, WhatTheRecordKnowsStandsInForAnUnfinishedBuild) {
  builds::BuildRecord record;
  record.id = "b1";
  record.name = "interrupted";
  record.command = {"make", "all"};
  record.cpus = 8;
  SqlSession::Options options;
  options.records = {record};
  Database database(traces::SpanText(1, 1, 0, "llamacc", 0, 7, R"("global.build_id":"b1")"),
                    std::move(options));
  EXPECT_EQ(database.Ask("SELECT build_name, command, status, finished, cpus, wall_ns FROM builds"),
            "interrupted,make all,,0,8,7000000\n");
  EXPECT_EQ(database.Ask("SELECT count(*) FROM spans WHERE build_name = 'interrupted'"), "1\n");
}

TEST(SqlSessionTest, NothingIsNoError) {
  Database database("");
  for (const char* table : {"spans", "compiles", "commands", "builds", "phases", "machine"}) {
    EXPECT_EQ(database.Ask(std::string("SELECT count(*) FROM ") + table), "0\n") << table;
  }
}

}  // namespace
}  // namespace llama::sql
