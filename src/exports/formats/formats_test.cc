// What all formats have in common, and what each makes of one small build.
#include <simdjson.h>

#include <algorithm>
#include <string>
#include <vector>

#include "exports/spans/testing.h"

namespace llama::exports {
namespace {

bool IsJson(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(text);
  return parser.parse(padded).get(root) == simdjson::SUCCESS;
}

bool Holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

size_t Count(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

constexpr std::string_view kJsonFormats[] = {"chrome",    "speedscope", "jaeger",
                                             "otlp-json", "zipkin",     "honeycomb"};

TEST(Formats, AreJsonWhateverTheNamesHold) {
  const auto columns = traces::LoadText(
      SmallBuild() + SpanText(5, 1, 0, "\"</script>\x1b[31m\n\\", 0, 1,
                              R"("k\"\u0001":"\\","trace_id":1,"name":2,"span.kind":3)"));
  for (const std::string_view format : kJsonFormats) {
    EXPECT_TRUE(IsJson(WriteAs(format, SelectAll(columns)).text)) << format;
  }
}

TEST(Formats, OfNoSpansAreDocuments) {
  const auto columns = traces::LoadText("");
  for (const std::string_view format : kJsonFormats) {
    EXPECT_TRUE(IsJson(WriteAs(format, SelectAll(columns)).text)) << format;
  }
}

// Cut at every size: a whole document, within the limit, that holds as many spans as it says.
TEST(Formats, EndProperlyWhereverTheyAreCut) {
  std::string lines = SmallBuild();
  for (int i = 10; i < 14; ++i) {
    lines += SpanText(i, 1, 0, "llamacc", i, 5) + SpanText(i, 2, 1, "send", i, 1);
  }
  const auto columns = traces::LoadText(lines);
  const Selection selection = SelectAll(columns);
  for (const std::string_view format : kJsonFormats) {
    const Written all = WriteAs(format, selection);
    EXPECT_EQ(all.counts.spans, selection.rows().size()) << format;
    uint64_t spans = 0;
    for (uint64_t limit = 0; limit < all.text.size(); ++limit) {
      const Written cut = WriteAs(format, selection, {}, limit);
      ASSERT_LE(cut.text.size(), limit) << format;
      ASSERT_TRUE(cut.text.empty() || IsJson(cut.text)) << format << " at " << limit << cut.text;
      ASSERT_GE(cut.counts.spans, spans) << format << " at " << limit;
      spans = cut.counts.spans;
      // What begins ends.
      ASSERT_EQ(Count(cut.text, R"("type":"O")"), Count(cut.text, R"("type":"C")")) << limit;
    }
    // Room for what ends a document is reckoned generously.
    EXPECT_EQ(WriteAs(format, selection, {}, all.text.size() + 500).text, all.text) << format;
  }
}

// As far apart as a trace can say, and as long.
TEST(Formats, OfExtremeTimesAreDocuments) {
  std::string lines;
  int id = 0;
  for (const char* start : {"1677-09-22T00:00:00Z", "1970-01-01T00:00:00Z", "2026-11-22T08:20:50Z",
                            "2260-04-11T23:47:16Z"}) {
    for (const char* duration : {"0", "31622400000000000"}) {
      lines.append(R"({"trace_id":"00000000000000f)").append(std::to_string(id % 2));
      lines.append(R"(","span_id":"000000000000001)").append(std::to_string(id++));
      lines.append(R"(","parent_id":"","name":")").append(id % 3 == 0 ? "invoke" : "llamacc");
      lines.append(R"(","start":")").append(start).append(R"(","duration":)").append(duration);
      lines.append(",\"fields\":{}}\n");
    }
  }
  const auto columns = traces::LoadText(lines);
  const Selection selection = SelectAll(columns);
  ASSERT_EQ(selection.rows().size(), 8u);
  for (const std::string_view format : kJsonFormats) {
    EXPECT_TRUE(IsJson(WriteAs(format, selection).text)) << format;
  }
  EXPECT_FALSE(WriteAs("perfetto", selection).text.empty());
  EXPECT_FALSE(WriteAs("otlp", selection).text.empty());
  EXPECT_FALSE(WriteAs("xray", selection).text.empty());
}

TEST(Formats, OfManyChunksAreTheSame) {
  std::string lines;
  for (int i = 1; i <= 6000; ++i) {
    lines += SpanText(i, 1, 0, "llamacc", i, 30) + SpanText(i, 2, 1, "invoke", i, 10);
  }
  const auto columns = traces::LoadText(lines);
  const Selection selection = SelectAll(columns);
  for (const std::string_view format : kJsonFormats) {
    const Written written = WriteAs(format, selection);
    EXPECT_GT(written.text.size(), 2 * Output::kChunkBytes) << format;
    EXPECT_TRUE(IsJson(written.text)) << format;
  }
}

constexpr std::string_view kSmallBuild =
    R"json({"displayTimeUnit":"ms","otherData":{"start":"2026-11-22T08:20:50.000000000Z"},"traceEvents":[
{"ph":"M","pid":1,"tid":1,"name":"process_name","args":{"name":"small (b)"}},
{"ph":"M","pid":1,"tid":1,"name":"thread_name","args":{"name":"build"}},
{"ph":"M","pid":1,"tid":2,"name":"thread_name","args":{"name":"job 1"}},
{"ph":"X","name":"build","cat":"build","pid":1,"tid":1,"ts":0,"dur":40000},
{"ph":"X","name":"llamacc src/a.c","cat":"llamacc","pid":1,"tid":2,"ts":5000,"dur":25000},
{"ph":"X","name":"invoke","cat":"invoke","pid":1,"tid":2,"ts":7000,"dur":19000},
{"ph":"X","name":"worker","cat":"worker","pid":1,"tid":2,"ts":10000,"dur":14000},
{"ph":"X","name":"write","cat":"write","pid":1,"tid":2,"ts":26000,"dur":4000},
{"ph":"C","name":"jobs","pid":1,"ts":5000,"args":{"jobs":1}},
{"ph":"C","name":"jobs","pid":1,"ts":30000,"args":{"jobs":0}},
{"ph":"C","name":"in flight","pid":1,"ts":7000,"args":{"remote":1}},
{"ph":"C","name":"in flight","pid":1,"ts":26000,"args":{"remote":0}},
{"ph":"C","name":"cpu (processors)","pid":1,"ts":0,"args":{"user":1.5}},
{"ph":"C","name":"cpu (processors)","pid":1,"ts":20000,"args":{"user":1.5}},
{"ph":"C","name":"jobs (sampled)","pid":1,"ts":20000,"args":{"remote":1}}
]}
)json";

TEST(Chrome, ShowsABuild) {
  const auto columns = traces::LoadText(SmallBuild());
  ExportOptions options;
  options.fields = false;
  EXPECT_EQ(WriteAs("chrome", SelectAll(columns), options).text, kSmallBuild);
  EXPECT_TRUE(Holds(WriteAs("chrome", SelectAll(columns)).text,
                    R"("args":{"worker_id":"w1","cold_start":false,"list":[1,2],"none":null,)"
                    R"("trace_id":"0000000000000abc0000000000000002",)"
                    R"("span_id":"0000000000000013","parent_id":"0000000000000012"})"));
}

TEST(Speedscope, SumsJobsAndShowsTracks) {
  const auto columns = traces::LoadText(SmallBuild());
  const std::string text = WriteAs("speedscope", SelectAll(columns)).text;
  // Self times: llamacc 25 − 19 − 4 = 2 ms, invoke 19 − 14 = 5, worker 14, write 4: all of 25.
  EXPECT_TRUE(Holds(text, R"("endValue":25000000,"samples":[[)")) << text;
  EXPECT_TRUE(Holds(text, R"("weights":[2000000,5000000,4000000,14000000])")) << text;
  EXPECT_TRUE(Holds(text, R"({"name":"llamacc","file":"src/a.c"})")) << text;
  EXPECT_TRUE(Holds(text, R"("name":"small (b): job 1","unit":"nanoseconds","startValue":0)"));
  EXPECT_TRUE(Holds(text, R"(,"at":30000000}],"endValue":30000000})")) << text;
}

TEST(Jaeger, NamesProcessesAndTypes) {
  const auto columns = traces::LoadText(SmallBuild());
  const std::string text = WriteAs("jaeger", SelectAll(columns)).text;
  EXPECT_TRUE(
      Holds(text, R"({"traceID":"0000000000000abc0000000000000002","spanID":"0000000000000013",)"
                  R"("operationName":"worker","references":[{"refType":"CHILD_OF",)"
                  R"("traceID":"0000000000000abc0000000000000002","spanID":"0000000000000012"}],)"
                  R"("startTime":1795335650010000,"duration":14000,"tags":[)"
                  R"({"key":"span.kind","type":"string","value":"server"},)"
                  R"({"key":"worker_id","type":"string","value":"w1"},)"
                  R"({"key":"cold_start","type":"bool","value":false},)"
                  R"({"key":"list","type":"string","value":"[1,2]"},)"
                  R"({"key":"none","type":"string","value":"null"}],"logs":[],"processID":"p2"})"))
      << text;
  EXPECT_TRUE(Holds(text, R"("processes":{"p1":{"serviceName":"llama","tags":[]},)"
                          R"("p2":{"serviceName":"llama-runtime","tags":[{"key":"worker_id",)"
                          R"("type":"string","value":"w1"}]}})"))
      << text;
}

TEST(Zipkin, RoundsBothEndsAlike) {
  // 1.9 µs to 3.1 µs is [1, 3]: a child in it from 2.1 to 3.1 stays in it.
  const auto columns = traces::LoadText(
      R"({"trace_id":"00000000000000ff","span_id":"0000000000000001","parent_id":"","name":"a",)"
      R"("start":"2026-11-22T08:20:50.000001900Z","duration":1200,"fields":{"n":5}})"
      "\n");
  EXPECT_EQ(WriteAs("zipkin", SelectAll(columns)).text,
            "[\n"
            R"({"traceId":"000000000000000000000000000000ff","id":"0000000000000001","name":"a",)"
            R"("timestamp":1795335650000001,"duration":2,"localEndpoint":{"serviceName":"llama"},)"
            R"("tags":{"n":"5"}})"
            "\n]\n");
}

TEST(OtlpJson, WritesKindsLinksAndErrors) {
  const auto columns = traces::LoadText(SmallBuild());
  const std::string text = WriteAs("otlp-json", SelectAll(columns)).text;
  EXPECT_TRUE(Holds(text, R"("links":[{"traceId":"0000000000000abc0000000000000001",)"
                          R"("spanId":"0000000000000001"}])"))
      << text;
  EXPECT_TRUE(Holds(text, R"("name":"invoke","kind":3,"startTimeUnixNano":"1795335650007000000",)"
                          R"("endTimeUnixNano":"1795335650026000000","attributes":[)"
                          R"({"key":"payload_bytes","value":{"intValue":"5120"}},)"
                          R"({"key":"cost_usd","value":{"doubleValue":1.5e-07}},)"))
      << text;
  EXPECT_TRUE(Holds(text, R"("status":{"message":"a \"lost\" worker","code":2})")) << text;
  EXPECT_TRUE(Holds(text, R"("name":"worker","kind":2)")) << text;
}

TEST(Honeycomb, KeepsFieldsApartFromItsOwn) {
  const auto columns = traces::LoadText(SmallBuild());
  const std::string text = WriteAs("honeycomb", SelectAll(columns)).text;
  EXPECT_TRUE(Holds(text, R"({"time":"2026-11-22T08:20:50.000000000Z","data":{)"
                          R"("trace.trace_id":"0000000000000abc0000000000000001",)"
                          R"("trace.span_id":"0000000000000001","name":"build",)"
                          R"("service.name":"llama","duration_ms":40,"global.build_id":"b",)"
                          R"("field.name":"small"}})"))
      << text;
}

TEST(Xray, WritesDocumentsWithinTheirLimits) {
  const auto columns =
      traces::LoadText(SmallBuild() + SpanText(2, 0x15, 0x11, "wait: \"a\" (b)\\", 26, 4,
                                               R"("long":")" + std::string(70'000, 'x') + R"(")"));
  const Written written = WriteAs("xray", SelectAll(columns));
  EXPECT_EQ(written.counts.spans, 7u);
  ASSERT_EQ(written.counts.warnings.size(), 1u);
  EXPECT_TRUE(Holds(written.text, R"({"trace_id":"1-6b02a5e2-00000abc0000000000000002",)"
                                  R"("id":"0000000000000013","parent_id":"0000000000000012",)"
                                  R"("name":"llama-runtime","start_time":1795335650.01,)"
                                  R"("end_time":1795335650.024,"annotations":{"span":"worker"},)"))
      << written.text;
  EXPECT_TRUE(Holds(written.text, R"("name":"wait: _a_ _b__","type":"subsegment")"))
      << written.text;
  EXPECT_FALSE(Holds(written.text, "xxxx"));
  for (size_t begin = 0; begin < written.text.size();) {
    const size_t end = written.text.find('\n', begin);
    EXPECT_LE(end - begin, 64'000u);
    EXPECT_TRUE(IsJson(written.text.substr(begin, end - begin)));
    begin = end + 1;
  }
}

// What is written and read again: "trace span parent name start duration build {fields}" a row.
std::vector<std::string> Rows(const traces::Columns& columns, bool machine) {
  std::vector<std::string> rows;
  for (traces::Row row = 0; row < columns.size(); ++row) {
    if (!machine && columns.text(columns.name()[row]) == "machine") continue;
    std::string text = trace::Hex(columns.traces()[columns.trace()[row]]) + " " +
                       trace::Hex(columns.span_id()[row]) + " " +
                       trace::Hex(columns.parent_id()[row]) + " " +
                       std::string(columns.text(columns.name()[row])) + " " +
                       std::to_string(columns.start_ns()[row]) + " " +
                       std::to_string(columns.duration_ns()[row]) + " ";
    columns.AppendFieldsJson(text, row);
    rows.push_back(std::move(text));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

// But what the formats have no room for: Chrome's has samples of the machine as curves, and OTLP's
// attributes are no JSON.
TEST(Formats, AreReadAgainAsTheyWere) {
  std::string lines = SmallBuild() + SpanText(2, 0x15, 0x11, "overlapping \\\"quote\\\"", 20, 50) +
                      SpanText(9, 0x16, 0x99, "orphan", 1, 1, R"("empty":"","half":0.5)");
  const traces::LoadOptions as_recorded{.correct_clocks = false};
  const auto columns = traces::LoadText(lines, as_recorded);
  for (const auto& [format, machine] : {std::pair{"chrome", false}, std::pair{"otlp-json", true}}) {
    const std::string text = WriteAs(format, SelectAll(columns)).text;
    const auto again = traces::LoadText(text, as_recorded);
    EXPECT_EQ(again.report().malformed, 0u) << format;
    auto wanted = Rows(columns, machine);
    if (std::string_view(format) == "otlp-json") {
      for (std::string& row : wanted) {
        const size_t list = row.find("[1,2]");
        if (list != std::string::npos) row.replace(list, 5, "\"[1,2]\"");
      }
    }
    EXPECT_EQ(Rows(again, machine), wanted) << text;
  }
}

}  // namespace
}  // namespace llama::exports
