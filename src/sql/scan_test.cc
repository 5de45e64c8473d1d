// What the virtual tables filter and sort by themselves, against an ordinary SQLite table with the
// same rows: every query must give the same.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <random>

#include "sql/module.h"
#include "sql/spans.h"
#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::sql {
namespace {

class Connection {
 public:
  Connection() { sqlite3_open(":memory:", &db_); }
  ~Connection() { sqlite3_close_v2(db_); }
  sqlite3* get() { return db_; }
  // "a|b;c|d;", or the error.
  std::string Ask(const std::string& sql) {
    std::string out;
    char* error = nullptr;
    sqlite3_exec(
        db_, sql.c_str(),
        [](void* text, int n, char** values, char**) {
          for (int i = 0; i < n; ++i) {
            static_cast<std::string*>(text)->append(values[i] == nullptr ? "(null)" : values[i]);
            static_cast<std::string*>(text)->append(i + 1 < n ? "|" : ";\n");
          }
          return 0;
        },
        &out, &error);
    if (error != nullptr) out = std::string("error: ") + error;
    sqlite3_free(error);
    return out;
  }

 private:
  sqlite3* db_ = nullptr;
};

// Fields of every kind, in some of the spans.
std::string RandomTrace(std::mt19937_64& random, int traces) {
  std::string text;
  const char* names[] = {"invoke", "exec", "sync", ""};
  for (int t = 1; t <= traces; ++t) {
    text += traces::SpanText(t, 1, 0, "llamacc", t, 100,
                             R"("global.build_id":"b)" + std::to_string(t * 3 / traces) +
                                 R"(","file":"f)" + std::to_string(random() % 20) + "\"");
    for (int i = 2; i < 6; ++i) {
      std::string fields = R"("i":)" + std::to_string(static_cast<int>(random() % 9) - 4);
      if (random() % 2 == 0) fields += R"(,"r":)" + std::to_string(random() % 5) + ".5";
      if (random() % 3 == 0) fields += R"(,"t":")" + std::to_string(random() % 4) + "\"";
      if (random() % 3 == 0)
        fields += R"(,"flag":)" + std::string(random() % 2 == 0 ? "true" : "false");
      const auto kind = random() % 5;
      if (kind == 1) fields += R"(,"any":2)";
      if (kind == 2) fields += R"(,"any":"2")";
      if (kind == 3) fields += R"(,"any":2.5)";
      text +=
          traces::SpanText(t, i, i == 2 ? 1 : static_cast<int>(random() % 3 + 1),
                           names[random() % 4], t + i, static_cast<int64_t>(random() % 7), fields);
    }
  }
  return text;
}

class SqlScanTest : public testing::Test {
 protected:
  SqlScanTest() : random_(11), columns_(traces::LoadText(RandomTrace(random_, 60))) {
    auto spans = std::make_unique<SpansTable>(columns_, BuildNames(columns_));
    const SpansTable& table = *spans;
    EXPECT_TRUE(AddTable(virtual_.get(), "spans", std::move(spans)));
    std::string create = "CREATE TABLE spans(";
    std::string insert;
    for (const SqlColumn& column : table.columns()) {
      const char* types[] = {" INTEGER", " NUMERIC", " TEXT", ""};
      if (create.back() != '(') create += ",";
      create += "\"" + column.name + "\"" + types[static_cast<int>(column.affinity)];
    }
    plain_.Ask(create + ")");
    std::string scratch;
    for (traces::Row row = 0; row < table.rows(); ++row) {
      insert = "INSERT INTO spans(rowid";
      std::string values = std::to_string(row);
      for (size_t i = 0; i < table.columns().size(); ++i) {
        const Cell cell = table.At(row, static_cast<int>(i), scratch);
        insert += ",\"" + table.columns()[i].name + "\"";
        if (cell.is_null()) values += ",NULL";
        if (cell.type == CellType::kInt) values += "," + std::to_string(cell.integer);
        if (cell.type == CellType::kDouble) values += "," + std::to_string(cell.real);
        if (cell.is_text()) values += ",'" + std::string(cell.text()) + "'";
      }
      const std::string error = plain_.Ask(insert + ") VALUES(" + values + ")");
      EXPECT_EQ(error, "") << insert;
    }
  }

  const char* Pick(std::initializer_list<const char*> items) {
    return *(items.begin() + static_cast<std::ptrdiff_t>(random_() % items.size()));
  }
  std::string Condition(const std::string& alias) {
    const std::string column =
        alias + Pick({"name", "build", "i", "r", "t", "flag", "any", "file", "depth", "parent",
                      "id", "duration_ns", "start_ns", "rowid", "parent_id", "path", "trace_id"});
    switch (random_() % 8) {
      case 0:
        return column + Pick({" IS NULL", " IS NOT NULL"});
      case 1:
        return column + " IN (" +
               Pick({"1, 2, '2', NULL", "'invoke', 'exec'", "0", "'b0', 'b1', 'nix'", "2.5, 3, '1'",
                     "SELECT i FROM spans", "SELECT t FROM spans"}) +
               ")";
      case 2:
        return column + " BETWEEN " +
               Pick({"0 AND 3", "'a' AND 'f'", "-1.5 AND '2'", "NULL AND 1"});
      case 3:
        return column + " LIKE " + Pick({"'%e%'", "'b1'", "'2'"});
      default:
        return column + " " + Pick({"=", "=", "=", "<", "<=", ">", ">=", "<>", "IS"}) + " " +
               Pick({"0",
                     "1",
                     "-2",
                     "2",
                     "2.5",
                     "2.0",
                     "'2'",
                     "'invoke'",
                     "''",
                     "'b1'",
                     "'f3'",
                     "NULL",
                     "x'32'",
                     "1e3",
                     "'llamacc>invoke'",
                     "'2.0'",
                     "CAST(2 AS TEXT)",
                     "1 + 1",
                     "'0000000000000abc0000000000000007'",
                     "100",
                     "9223372036854775807",
                     "-1",
                     "'INVOKE' COLLATE NOCASE"});
    }
  }
  std::string Query() {
    const bool join = random_() % 4 == 0;
    std::string from = " FROM spans a";
    std::string where = Condition("a.");
    for (auto n = random_() % 3; n > 0; --n)
      where += Pick({" AND ", " AND ", " OR "}) + Condition("a.");
    if (join) {
      from +=
          std::string(Pick({" JOIN", " LEFT JOIN"})) + " spans b ON " +
          Pick({"b.parent = a.id", "b.id = a.parent", "b.file = a.file", "b.trace_id = a.trace_id",
                "b.t = a.i", "b.i = a.t", "b.i = a.r * 2", "b.any = a.i", "b.any = a.t",
                "b.name = a.name AND b.i = a.i", "b.parent_id = a.span_id"});
      if (random_() % 2 == 0) where += " AND " + Condition("b.");
    }
    switch (random_() % 4) {
      case 0:
        return "SELECT a.name, count(*), sum(a.i)" + from + " WHERE " + where + " GROUP BY a.name" +
               Pick({"", ", a.build", ", a.t"});
      case 1:
        return "SELECT DISTINCT " + std::string(Pick({"a.t", "a.any", "a.build, a.name"})) + from +
               " WHERE " + where + " ORDER BY 1";
      case 2:
        return "SELECT a.id" + std::string(join ? ", b.id" : "") + from + " WHERE " + where +
               " ORDER BY a." + Pick({"i", "r DESC", "t", "any", "name DESC", "start_ns", "flag"}) +
               ", a.id" + (join ? ", b.id" : "") + Pick({"", " LIMIT 5", " LIMIT 3 OFFSET 2"});
      default:
        return "SELECT count(*), min(a.id), max(a.any), total(a.r)" + from + " WHERE " + where;
    }
  }

  // Groups may come in any order; rows that are ordered down to their id may not.
  static std::string InOrder(const std::string& sql, const std::string& answer) {
    if (sql.find(", a.id") != std::string::npos) return answer;
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < answer.size();) {
      const size_t end = answer.find('\n', begin) + 1;
      lines.push_back(answer.substr(begin, end - begin));
      begin = end;
    }
    std::sort(lines.begin(), lines.end());
    std::string out;
    for (const std::string& line : lines) out += line;
    return out;
  }

  std::mt19937_64 random_;
  traces::Columns columns_;
  Connection virtual_;
  Connection plain_;
};

TEST_F(SqlScanTest, EveryQueryGivesWhatAnOrdinaryTableGives) {
  for (int i = 0; i < 800; ++i) {
    const std::string sql = Query();
    const std::string expected = plain_.Ask(sql);
    ASSERT_EQ(InOrder(sql, virtual_.Ask(sql)), InOrder(sql, expected)) << sql;
    ASSERT_NE(expected.substr(0, 5), "error") << sql << ": " << expected;
  }
}

TEST_F(SqlScanTest, TakesConstraintsAndOrderOnItself) {
  const struct {
    const char* sql;
    const char* plan;  // what SQLite tells of it: "=": equal, "i": in a list, and so on
  } cases[] = {
      {"SELECT * FROM spans WHERE name = 'exec'", "=5;"},
      {"SELECT * FROM spans WHERE build = 'b1' AND start_ns > 5", "=0,>7;"},
      {"SELECT * FROM spans WHERE rowid = 5", "=-1;"},
      {"SELECT name, count(*) FROM spans GROUP BY name", ";a5"},
      {"SELECT * FROM spans WHERE trace_id IN ('a', 'b') ORDER BY start_ns DESC", "i2;d7"},
      {"SELECT * FROM spans WHERE t IS NOT NULL", "124;"},
  };
  for (const auto& c : cases) {
    const std::string plan = virtual_.Ask(std::string("EXPLAIN QUERY PLAN ") + c.sql);
    EXPECT_NE(plan.find(std::string("VIRTUAL TABLE INDEX 0:") + c.plan + ";"), std::string::npos)
        << c.sql << ": " << plan;
    EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << c.sql << ": " << plan;
  }
}

}  // namespace
}  // namespace llama::sql
