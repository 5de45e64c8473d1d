#include "traces/load/loader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>

#include "base/file.h"
#include "traces/columns/testing.h"

namespace llama::traces {
namespace {

TEST(LoaderTest, ReadsWhatTheWriterWrites) {
  trace::Span span = trace::StartSpan("invoke", {{1, 2}, 3}, 1'795'335'650'123'456'789);
  span.duration_ns = 42;
  span.Set("payload_bytes", 5);
  span.Set("cold_start", true);
  span.Set("cost_usd", 1.5e-7);
  span.Set("reason", "caf\xc3\xa9 \"quoted\"\n");
  std::string line;
  trace::AppendJsonLine(line, span);
  const Columns columns = LoadText(line);
  ASSERT_EQ(columns.size(), 1u);
  EXPECT_EQ(columns.traces()[0], span.trace_id);
  EXPECT_EQ(columns.span_id()[0], span.span_id);
  EXPECT_EQ(columns.parent_id()[0], 3u);
  EXPECT_EQ(columns.text(columns.name()[0]), "invoke");
  EXPECT_EQ(columns.start_ns()[0], span.start_ns);
  EXPECT_EQ(columns.duration_ns()[0], 42);
  EXPECT_EQ(columns.field("payload_bytes").At(0), Value::Int(5));
  EXPECT_EQ(columns.field("cold_start").At(0), Value::Bool(true));
  EXPECT_EQ(columns.field("cost_usd").At(0), Value::Double(1.5e-7));
  EXPECT_EQ(columns.text(*columns.field("reason").StringAt(0)), "caf\xc3\xa9 \"quoted\"\n");
}

// As Go's encoding/json writes tracing.Span: 16-digit ids, the zone of the machine, fewer digits.
TEST(LoaderTest, ReadsWhatTheOriginalWrites) {
  const Columns columns = LoadText(
      R"({"trace_id":"4bf92f3577b34da6","span_id":"00f067aa0ba902b7","parent_id":"","name":"llamacc",)"
      R"("start":"2020-10-18T14:21:36.5-07:00","duration":1500000,"fields":{"global.build_id":"b1",)"
      R"("args":["-c","a.c"],"cost":0.5,"n":3}})"
      "\n"
      R"({"trace_id":"4bf92f3577b34da6","span_id":"00f067aa0ba902b8","parent_id":"00f067aa0ba902b7",)"
      R"("name":"exec","start":"2020-10-18T21:21:36.501Z","duration":0,"fields":null})"
      "\n");
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns.traces()[0], (trace::TraceId{0, 0x4bf92f3577b34da6}));
  EXPECT_EQ(columns.start_ns()[0], *trace::ParseTime("2020-10-18T21:21:36.5Z"));
  EXPECT_EQ(columns.start_ns()[1], columns.start_ns()[0] + 1'000'000);
  EXPECT_EQ(columns.parent()[1], 0u);
  EXPECT_EQ(FieldsOf(columns, 0),
            R"({"global.build_id":"b1","args":["-c","a.c"],"cost":0.5,"n":3})");
  EXPECT_EQ(columns.text(columns.builds()[columns.build()[1]].id), "b1");
}

// Before it had `fields`.
TEST(LoaderTest, ReadsTheOriginalsMetricsAndLabels) {
  const Columns columns = LoadText(SpanLine(
      R"("name":"x","start":"2026-11-22T08:20:50Z","duration":5,"metrics":{"m":1.5},"labels":{"l":"v"})"));
  EXPECT_EQ(FieldsOf(columns, 0), R"({"m":1.5,"l":"v"})");
}

TEST(LoaderTest, TakesKeysInAnyOrderAndBlanksAndUnknownOnes) {
  const Columns columns = LoadText(
      SpanLine(R"( "fields" : {"source":"a\"b.c", "nested": {"remote": true}}, "extra":[1,{}],)"
               R"("duration":5.0,"start":"2026-11-22T10:20:50+02:00","name":"llam\u0061cc" )"));
  ASSERT_EQ(columns.size(), 1u);
  EXPECT_EQ(columns.text(columns.name()[0]), "llamacc");
  EXPECT_EQ(columns.start_ns()[0], 1'795'335'650'000'000'000);
  EXPECT_EQ(columns.duration_ns()[0], 5);
  EXPECT_EQ(FieldsOf(columns, 0), R"({"source":"a\"b.c","nested":{"remote": true}})");
}

struct MalformedCase {
  std::string line;
  const char* why;
};

std::vector<MalformedCase> MalformedCases() {
  const std::string good = R"("name":"x","start":"2026-11-22T08:20:50Z","duration":5)";
  return {
      {"x", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"null", "not a JSON object"},
      {"{\"trace_id\":", "not a JSON object"},
      {"{}", "no trace_id"},
      {SpanLine(good) + "{", "not a JSON object"},
      {SpanLine(good) + SpanLine(good), "not a JSON object"},
      {SpanLine(good + R"(,"fields":[])"), "fields is no object"},
      {SpanLine(good + R"(,"fields":{"a":tru})"), "the fields can't be read"},
      {SpanLine(good + R"(,"fields":{"a":[1,tru]})"), "the fields can't be read"},
      {SpanLine(good + R"(,"fields":{"a":01})"), "the fields can't be read"},
      {SpanLine(good + R"(,"fields":{"a":"\q"})"), "the fields can't be read"},
      {SpanLine(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":-5)"),
       "duration is negative"},
      {SpanLine(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":9223372036854775807)"),
       "duration is beyond a year"},
      {SpanLine(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":1e300)"),
       "duration is beyond a year"},
      {SpanLine(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":"5")"),
       "duration is no number"},
      {SpanLine(R"("name":"x","start":"2262-04-11T23:47:16.8Z","duration":99999999999)"),
       "it never ends"},
      {SpanLine(R"("name":"x","start":"yesterday","duration":5)"), "start is no RFC 3339 time"},
      {SpanLine(R"("name":7,"start":"2026-11-22T08:20:50Z","duration":5)"), "name is no string"},
      {SpanLine(R"("name":"x","start":"2026-11-22T08:20:50Z")"), "no duration"},
      {SpanLine(R"("start":"2026-11-22T08:20:50Z","duration":5)"), "no name"},
      {R"({"trace_id":"1","span_id":"b7ad6b7169203331","parent_id":"",)" + good + "}",
       "trace_id is not 16 or 32 hexadecimal digits, not all 0"},
      {R"({"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"0000000000000000",)" + good +
           "}",
       "span_id is not 16 hexadecimal digits, not all 0"},
      {R"({"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331",)"
       R"("parent_id":"none",)" +
           good + "}",
       "parent_id is neither empty nor 16 hexadecimal digits"},
      {SpanLine("\"name\":\"\xff\",\"start\":\"2026-11-22T08:20:50Z\",\"duration\":5"),
       "not a JSON object"},
      {std::string("{\"name\":\"a\0b\"}", 14), "not a JSON object"},
      {std::string(100, '\0'), "not a JSON object"},
      {std::string(2000, '['), "not a JSON object"},
  };
}

TEST(LoaderTest, MalformedLinesAreCountedWithTheReason) {
  const std::string after =
      SpanLine(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":5)") + "\n";
  for (const auto& [line, why] : MalformedCases()) {
    const Columns columns = LoadText(line + "\n" + after);
    EXPECT_EQ(columns.report().malformed, 1u) << line;
    EXPECT_EQ(columns.report().lines, 2u) << line;
    EXPECT_EQ(columns.size(), 1u) << line;
    EXPECT_EQ(columns.field_count(), 0u) << line;
    EXPECT_EQ(columns.report().examples, std::vector{std::string("text:1: ") + why}) << line;
  }
}

TEST(LoaderTest, BlankLinesAndCarriageReturnsAreNothing) {
  const std::string line = SpanLine(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":5)");
  const Columns columns = LoadText("\n\r\n" + line + "\r\n  \n");
  EXPECT_EQ(columns.size(), 1u);
  EXPECT_EQ(columns.report().lines, 1u);
  EXPECT_EQ(columns.report().malformed, 0u);
  EXPECT_EQ(columns.report().truncated, 0u);
}

TEST(LoaderTest, EmptyIsNoError) {
  const Columns columns = LoadText("");
  EXPECT_TRUE(columns.empty());
  EXPECT_EQ(columns.report().files, 1u);
  EXPECT_TRUE(columns.roots().empty());
  EXPECT_TRUE(columns.rows_named("x").empty());
}

TEST(LoaderTest, ParentMayBeMissingOrNull) {
  constexpr char kRest[] =
      R"("span_id":"b7ad6b7169203331","name":"x","start":"2026-11-22T08:20:50Z","duration":5})";
  const std::string trace = R"({"trace_id":"0af7651916cd43dd8448eb211c80319c",)";
  for (const std::string& line : {trace + kRest, trace + R"("parent_id":null,)" + kRest}) {
    const Columns columns = LoadText(line);
    ASSERT_EQ(columns.size(), 1u) << line;
    EXPECT_EQ(columns.parent_id()[0], 0u);
    EXPECT_EQ(columns.report().orphans, 0u);
  }
}

TEST(LoaderTest, KindOfAFieldMayChange) {
  const std::string text =
      SpanText(1, 1, 0, "x", 0, 1, R"("v":1)") + SpanText(1, 2, 0, "x", 0, 1, R"("v":"one")") +
      SpanText(1, 3, 0, "x", 0, 1, R"("v":1.5,"w":true)") +
      SpanText(1, 4, 0, "x", 0, 1, R"("w":null)") + SpanText(1, 5, 0, "x", 0, 1, R"("v":false)") +
      SpanText(1, 6, 0, "x", 0, 1, R"("v":{"a":[1, 2]})") +
      SpanText(1, 7, 0, "x", 0, 1, R"("v":99999999999999999999)") +
      SpanText(1, 8, 0, "x", 0, 1, R"("v":18446744073709551615)") +
      SpanText(1, 9, 0, "x", 0, 1, R"("v":-9223372036854775808)");
  const Columns columns = LoadText(text);
  ASSERT_EQ(columns.size(), 9u);
  const char* const expected[] = {R"({"v":1})",
                                  R"({"v":"one"})",
                                  R"({"v":1.5,"w":true})",
                                  R"({"w":null})",
                                  R"({"v":false})",
                                  R"({"v":{"a":[1, 2]}})",
                                  R"({"v":99999999999999999999})",
                                  R"({"v":18446744073709551615})",
                                  R"({"v":-9223372036854775808})"};
  for (Row row = 0; row < 9; ++row) EXPECT_EQ(FieldsOf(columns, row), expected[row]);
  const KindSet kinds = columns.field_kinds(*columns.FindField("v"));
  EXPECT_TRUE(kinds.Has(Kind::kInt) && kinds.Has(Kind::kDouble) && kinds.Has(Kind::kString));
  EXPECT_FALSE(kinds.Has(Kind::kNull));
  EXPECT_EQ(columns.field_values(*columns.FindField("v")), 8u);
}

TEST(LoaderTest, LastOfEqualKeysCounts) {
  const Columns columns = LoadText(SpanText(1, 1, 0, "x", 0, 1, R"("a":1,"b":2,"a":"three")") +
                                   SpanText(1, 2, 0, "x", 0, 1, R"("a":1,"b":2,"a":4)"));
  EXPECT_EQ(FieldsOf(columns, 0), R"({"a":"three","b":2})");
  EXPECT_EQ(FieldsOf(columns, 1), R"({"a":4,"b":2})");
}

// Keys that are expected must be told from keys that only begin alike or are written otherwise.
TEST(LoaderTest, KeysAreToldApart) {
  const char* const fields[] = {
      R"("ab":1,"cd":2)",   R"("a":3,"cd":4)",    R"("abc":5,"c":6)", R"("\u0061b":7,"cd":8)",
      R"("a\"b":9)",        R"("a\"b":10,"":11)", R"("":12)",         R"("a\\":13)",
      R"("a\\":14,"ab":15)"};
  std::string text;
  for (int i = 0; i < 9; ++i) text += SpanText(1, i + 1, 0, "x", 0, 1, fields[i]);
  const Columns columns = LoadText(text);
  ASSERT_EQ(columns.size(), 9u);
  EXPECT_EQ(FieldsOf(columns, 3), R"({"ab":7,"cd":8})");
  for (const Row row : {0u, 1u, 2u, 4u, 5u, 6u, 7u, 8u}) {
    EXPECT_EQ(FieldsOf(columns, row), std::string("{") + fields[row] + "}");
  }
}

TEST(LoaderTest, FieldNamesBeyondTheLimitAreCounted) {
  std::string fields;
  for (FieldId i = 0; i < kMaxFields + 10; ++i) {
    fields.append(i == 0 ? "" : ",").append("\"f").append(std::to_string(i)).append("\":1");
  }
  const Columns columns = LoadText(SpanText(1, 1, 0, "x", 0, 1, fields));
  EXPECT_EQ(columns.size(), 1u);
  EXPECT_EQ(columns.field_count(), kMaxFields);
  EXPECT_EQ(columns.report().dropped_fields, 10u);
}

// Whatever is changed in a line, it is read or counted, and nothing is read out of bounds. The
// quick way of reading a line must not see another span in it than the thorough one: that is taken
// when there is a blank after the first brace.
TEST(LoaderTest, BrokenLinesNeverCrashAndBothWaysOfReadingAgree) {
  const std::string good = SpanText(7, 1, 2, "invoke", 3, 4,
                                    R"("payload_bytes":12,"reason":"caf\u00e9 \ud83e\udd99",)"
                                    R"("cost_usd":1.5e-7,"nested":{"a":[1,"b"]})");
  std::mt19937 random(1);
  uint64_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string line = good.substr(0, good.size() - 1 - random() % 3);
    for (unsigned flips = random() % 4; flips > 0; --flips) {
      char& c = line[1 + random() % (line.size() - 1)];
      c = random() % 2 == 0 ? static_cast<char>(random()) : "{}[]\",:0\\"[random() % 9];
    }
    if (line.find('\n') != std::string::npos) continue;
    const Columns quick = LoadText(line + "\n");
    const Columns thorough = LoadText("{ " + line.substr(1) + "\n");
    ASSERT_EQ(quick.size(), thorough.size()) << line;
    ASSERT_EQ(quick.size() + quick.report().malformed, 1u) << line;
    if (quick.empty()) continue;
    ++read;
    ASSERT_EQ(FieldsOf(quick, 0), FieldsOf(thorough, 0)) << line;
    ASSERT_EQ(quick.traces()[0], thorough.traces()[0]) << line;
    ASSERT_EQ(quick.span_id()[0], thorough.span_id()[0]) << line;
    ASSERT_EQ(quick.parent_id()[0], thorough.parent_id()[0]) << line;
    ASSERT_EQ(quick.start_ns()[0], thorough.start_ns()[0]) << line;
    ASSERT_EQ(quick.duration_ns()[0], thorough.duration_ns()[0]) << line;
    ASSERT_EQ(quick.text(quick.name()[0]), thorough.text(thorough.name()[0])) << line;
  }
  EXPECT_GT(read, 1000u);
}

}  // namespace
}  // namespace llama::traces
