// Other people's formats, read as traces: Chrome's and OTLP's JSON.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "trace/span.h"
#include "traces/foreign/chrome_reader.h"
#include "traces/foreign/input_format.h"
#include "traces/foreign/span_sink.h"
#include "traces/load/loader.h"

namespace llama::traces {
namespace {

// "trace span<parent name start+duration {fields}", a line a row; ids without leading zeros.
std::string Shown(const Columns& columns) {
  const auto number = [](std::string text) {
    return text.substr(std::min(text.find_first_not_of('0'), text.size()));
  };
  std::string out;
  for (Row row = 0; row < columns.size(); ++row) {
    out += number(trace::Hex(columns.traces()[columns.trace()[row]])) + " ";
    out += number(trace::Hex(columns.span_id()[row])) + "<";
    out += number(trace::Hex(columns.parent_id()[row])) + " ";
    out.append(columns.text(columns.name()[row])).append(" ");
    out += std::to_string(columns.start_ns()[row]) + "+" +
           std::to_string(columns.duration_ns()[row]) + " ";
    columns.AppendFieldsJson(out, row);
    out += "\n";
  }
  return out;
}
// The same where ids are made up: "name<parent's name start+duration {fields}".
std::string Nested(const Columns& columns) {
  std::string out;
  for (Row row = 0; row < columns.size(); ++row) {
    const Row parent = columns.parent()[row];
    out.append(columns.text(columns.name()[row])).append("<");
    if (parent != kNoRow) out.append(columns.text(columns.name()[parent]));
    out += " " + std::to_string(columns.start_ns()[row]) + "+" +
           std::to_string(columns.duration_ns()[row]) + " ";
    columns.AppendFieldsJson(out, row);
    out += "\n";
  }
  return out;
}

constexpr LoadOptions kAsRecorded = {.correct_clocks = false};

TEST(ChromeTest, CompleteEventsNestByTimeOnTheirTrack) {
  const auto columns = LoadText(R"([
    {"ph":"M","name":"process_name","pid":7,"args":{"name":"cc1plus"}},
    {"ph":"M","name":"thread_name","pid":7,"tid":1,"args":{"name":"main"}},
    {"ph":"X","name":"parse","cat":"front","pid":7,"tid":1,"ts":10.5,"dur":4.25,"args":{"file":"a.h","n":3}},
    {"ph":"X","name":"all","pid":7,"tid":1,"ts":10,"dur":20},
    {"ph":"X","name":"other","pid":7,"tid":"x","ts":11,"dur":1},
    {"ph":"X","name":"later","pid":7,"tid":1,"ts":30,"dur":1},
    {"ph":"C","name":"memory","pid":7,"ts":11,"args":{"kb":5}},
    {"ph":"i","name":"mark","pid":7,"tid":1,"ts":12}
  ])");
  EXPECT_EQ(Nested(columns),
            "all< 10000+20000 {\"process\":\"cc1plus\",\"thread\":\"main\"}\n"
            "parse<all 10500+4250 {\"file\":\"a.h\",\"n\":3,\"cat\":\"front\","
            "\"process\":\"cc1plus\",\"thread\":\"main\"}\n"
            "later< 30000+1000 {\"process\":\"cc1plus\",\"thread\":\"main\"}\n"
            "other< 11000+1000 {\"process\":\"cc1plus\"}\n");
  EXPECT_EQ(columns.report().lines, 4u);
  EXPECT_EQ(columns.report().malformed, 0u);
}

TEST(ChromeTest, BeginAndEndMakeSpans) {
  const auto columns = LoadText(R"({"displayTimeUnit":"ms","traceEvents":[
    {"ph":"B","name":"outer","pid":1,"tid":1,"ts":1,"args":{"a":1}},
    {"ph":"B","name":"inner","pid":1,"tid":1,"ts":2},
    {"ph":"b","name":"request","cat":"net","id":"0x5","pid":1,"tid":1,"ts":2},
    {"ph":"E","pid":1,"tid":1,"ts":3},
    {"ph":"e","name":"request","cat":"net","id":"0x5","pid":1,"tid":2,"ts":9},
    {"ph":"E","pid":1,"tid":1,"ts":5,"args":{"b":2}},
    {"ph":"E","pid":1,"tid":1,"ts":6},
    {"ph":"B","name":"open","pid":1,"tid":1,"ts":7}
  ]})");
  EXPECT_EQ(Nested(columns),
            "outer< 1000+4000 {\"a\":1,\"b\":2}\n"
            "inner<outer 2000+1000 {}\n"
            "request< 2000+7000 {\"cat\":\"net\"}\n");
  EXPECT_EQ(columns.report().malformed, 2u);
  ASSERT_EQ(columns.report().examples.size(), 2u);
  EXPECT_NE(columns.report().examples[0].find("ends and never began"), std::string::npos);
  EXPECT_NE(columns.report().examples[1].find("begins and never ends"), std::string::npos);
}

TEST(ChromeTest, OnlyIdsAsOursMakeItOurs) {
  EXPECT_EQ(Nested(LoadText(R"([{"ph":"X","name":"a b","cat":"a","ts":1,"dur":1,"args":)"
                            R"({"trace_id":"1-2","span_id":"3"}}])")),
            "a b< 1000+1000 {\"trace_id\":\"1-2\",\"span_id\":\"3\",\"cat\":\"a\"}\n");
  EXPECT_EQ(Shown(LoadText(R"([{"ph":"X","name":"a b","cat":"a","ts":1,"dur":1,"args":)"
                           R"({"trace_id":"00000000000000000000000000000001","n":2,)"
                           R"("parent_id":"0000000000000009","span_id":"0000000000000003"}}])")),
            "1 3<9 a 1000+1000 {\"n\":2}\n");
}

TEST(ChromeTest, TimesBeginWhereTheDocumentSays) {
  EXPECT_EQ(Nested(LoadText(R"({"traceEvents":[{"ph":"X","name":"a","ts":1,"dur":1}],)"
                            R"("beginningOfTime":1700000000000000})")),
            "a< 1700000000000001000+1000 {}\n");
  EXPECT_EQ(Nested(LoadText(R"({"otherData":{"start":"2026-11-22T08:20:50Z"},)"
                            R"("traceEvents":[{"ph":"X","name":"a","ts":0.125,"dur":1}]})")),
            "a< 1795335650000000125+1000 {}\n");
  // Microseconds since the epoch, in full.
  EXPECT_EQ(Nested(LoadText(R"([{"ph":"X","name":"a","ts":1795335650123456,"dur":0.5}])")),
            "a< 1795335650123456000+500 {}\n");
}

TEST(ChromeTest, WhatIsWholeIsReadOfABrokenOne) {
  constexpr std::string_view kEvent = R"({"ph":"X","name":"a","ts":1,"dur":1})";
  const std::string event(kEvent);
  struct Case {
    std::string text;
    uint64_t rows;
    uint64_t malformed;
    uint64_t truncated;
  };
  const Case cases[] = {
      {"[" + event + "," + event, 2, 0, 0},  // as the format allows
      {"[" + event + ",\n", 1, 0, 0},
      {"{\"traceEvents\":[" + event + ",{\"ph\":\"X\"", 1, 1, 1},
      {"[" + event + ",{\"ph\":\"X\",\"ts\":\"1\"}," + event + "]", 2, 1, 0},
      {"[" + event + ",{\"ph\":\"X\",\"ts\":1e300},7,{}]", 1, 3, 0},
      {"[" + event + R"(,{"ph":"X","name":"b","ts":1,"dur":-5}])", 1, 1, 0},
      {"[" + event + R"(,{"ph":"X","name":"b","ts":1,"dur":8e15}])", 1, 1, 0},  // beyond a year
  };
  for (const Case& c : cases) {
    const auto columns = LoadText(c.text);
    EXPECT_EQ(columns.size(), c.rows) << c.text;
    EXPECT_EQ(columns.report().malformed, c.malformed) << c.text;
    EXPECT_EQ(columns.report().truncated, c.truncated) << c.text;
  }
}

class CountingSink final : public SpanSink {
 public:
  void Add(const std::string& line) override { lines.push_back(line); }
  void Reject(const char*) override {}
  void RejectTooLong() override { ++too_long; }
  bool HasRoom(uint64_t held_bytes) override {
    most_held = std::max(most_held, held_bytes);
    return held_bytes <= room;
  }
  void NoteCutOff() override {}
  const std::string& name() const override { return name_; }

  std::vector<std::string> lines;
  int too_long = 0;
  uint64_t room = UINT64_MAX;
  uint64_t most_held = 0;

 private:
  const std::string name_ = "x";
};

TEST(ChromeTest, EndsWhereThereIsNoRoomForWhatItHolds) {
  // Each kind of event that is kept: a name, one that is whole, one that never ends, a track.
  for (const char* event :
       {R"({"ph":"M","name":"thread_name","pid":1,"args":{"name":"t"}},)", R"({"ph":"X","ts":1},)",
        R"({"ph":"B","ts":1},)", R"({"ph":"b","ts":1,"id":)"}) {
    std::string document = "[";
    for (int i = 0; i < 1000; ++i) {
      document += event;
      if (document.back() == ':') document += std::to_string(i) + "},";
    }
    CountingSink all;
    ReadChrome(document, all);
    EXPECT_GE(all.most_held, 1000u * 100) << event;
    CountingSink few;
    few.room = 10'000;
    ReadChrome(document, few);
    EXPECT_LE(few.most_held, 11'000u) << event;
    EXPECT_TRUE(few.lines.empty()) << event;
  }
}

TEST(ChromeTest, NoEventIsTooLong) {
  CountingSink large;
  ReadChrome(R"([{"ph":"X","ts":1,"name":")" + std::string(kMaxPartBytes, 'x') + "\"}]", large);
  EXPECT_EQ(large.too_long, 1);
}

TEST(OtlpTest, SpansWithTheirAttributes) {
  const auto columns = LoadText(R"({"resourceSpans":[{"resource":{"attributes":[
      {"key":"service.name","value":{"stringValue":"shop"}},{"key":"x","value":{"intValue":1}}]},
    "scopeSpans":[{"scope":{"name":"lib"},"spans":[
      {"traceId":"0AF7651916cd43dd8448eb211c80319c","spanId":"00000000000000b7","name":"GET /","kind":2,
       "startTimeUnixNano":"1000","endTimeUnixNano":"5000",
       "attributes":[{"key":"n","value":{"intValue":"-7"}},{"key":"d","value":{"doubleValue":0.5}},
         {"key":"b","value":{"boolValue":true}},{"key":"s","value":{"stringValue":"a\"b"}},{"key":"none"},
         {"key":"l","value":{"arrayValue":{"values":[{"intValue":1},{"stringValue":"x"}]}}},
         {"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}}],
       "status":{"code":2,"message":"it broke"}},
      {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"00000000000000b8",
       "parentSpanId":"00000000000000B7","name":"db","startTimeUnixNano":2000,"endTimeUnixNano":3000,
       "status":{"code":"STATUS_CODE_ERROR"}}]}]}]})");
  EXPECT_EQ(Shown(columns),
            "af7651916cd43dd8448eb211c80319c b7< GET / 1000+4000 {\"n\":-7,\"d\":0.5,\"b\":true,"
            "\"s\":\"a\\\"b\",\"none\":null,\"l\":[1,\"x\"],\"m\":{\"k\":false},"
            "\"error\":\"it broke\",\"service.name\":\"shop\"}\n"
            "af7651916cd43dd8448eb211c80319c b8<b7 db 2000+1000 "
            "{\"error\":true,\"service.name\":\"shop\"}\n");
}

TEST(OtlpTest, DocumentsBehindEachOther) {
  const auto document = [](int span) {
    return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000001",)"
           R"("spanId":"000000000000000)" +
           std::to_string(span) +
           R"(","name":"a","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]})";
  };
  EXPECT_EQ(LoadText(document(1) + "\n" + document(2) + "\n").size(), 2u);
  EXPECT_EQ(LoadText(document(1) + document(2)).size(), 2u);
  EXPECT_EQ(LoadText("{\"result\":" + document(1) + "}").size(), 1u);
  const std::string old = R"({"resourceSpans":[{"instrumentationLibrarySpans":)" +
                          document(1).substr(document(1).find("[{\"spans"));
  EXPECT_EQ(LoadText(old).size(), 1u);
  // What follows is cut off, or no document.
  for (const std::string& rest : {document(2).substr(0, 150), std::string("all is well")}) {
    const auto columns = LoadText(document(1) + "\n" + rest);
    EXPECT_EQ(columns.size(), 1u) << rest;
    EXPECT_EQ(columns.report().truncated, 1u) << rest;
  }
}

TEST(OtlpTest, WhatIsNoSpanIsCounted) {
  const auto with = [](std::string_view span) {
    return LoadText(R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + std::string(span) + "]}]}]}",
                    kAsRecorded);
  };
  for (const char* span :
       {"7", "{}",
        R"({"traceId":"1","spanId":"1","name":"a","startTimeUnixNano":"1","endTimeUnixNano":"2"})",
        R"({"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","name":"a",)"
        R"("startTimeUnixNano":"9","endTimeUnixNano":"2"})",
        R"({"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","name":"a",)"
        R"("startTimeUnixNano":"soon","endTimeUnixNano":"2"})",
        R"({"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","name":"a",)"
        R"("startTimeUnixNano":"18446744073709551615","endTimeUnixNano":"2"})"}) {
    const auto columns = with(span);
    EXPECT_EQ(columns.size(), 0u) << span;
    EXPECT_EQ(columns.report().malformed, 1u) << span;
  }
}

TEST(OtlpTest, ValuesAreNestedOnlySoFar) {
  std::string value = R"({"intValue":1})";
  for (int i = 0; i < 200; ++i) value = R"({"arrayValue":{"values":[)" + value + "]}}";
  const auto columns = LoadText(
      R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000001",)"
      R"("spanId":"0000000000000001","name":"a","startTimeUnixNano":"1","endTimeUnixNano":"2",)"
      R"("attributes":[{"key":"v","value":)" +
      value + "}]}]}]}]}");
  ASSERT_EQ(columns.size(), 1u);
  std::string fields;
  columns.AppendFieldsJson(fields, 0);
  EXPECT_LT(fields.size(), 100u);
}

TEST(InputFormatTest, NamesWhatIsNotRead) {
  struct Case {
    std::string head;
    const char* told;
  };
  const Case cases[] = {
      {R"({"data":[{"traceID":"1","spans":[]}]})", "Jaeger's JSON"},
      {R"([{"traceId":"1","id":"2","timestamp":3}])", "Zipkin's JSON"},
      {R"([{"time":"x","data":{}}])", "Honeycomb's"},
      {R"({"$schema":"https://www.speedscope.app/file-format-schema.json"})", "speedscope's"},
      {R"({"trace_id":"1-5-6","id":"7","start_time":1.5})", "AWS X-Ray's"},
      {std::string("\x0a\x05\x08\x01\x02", 5), "a protobuf"},
      {"PK\x03\x04", "a zip archive"},
      {std::string("\xfd") + "7zXZ", "compressed by xz"},
      {"BZh91AY", "compressed by bzip2"},
      {"\x04\x22\x4d\x18", "compressed by lz4"},
      {"SQLite format 3", "an SQLite database"},
      {"PAR1", "Parquet"},
      {"llamacl1", "the cache beside a build's trace"},
  };
  for (const Case& c : cases) {
    const auto format = FormatOf(c.head, "x");
    ASSERT_FALSE(format) << c.told;
    EXPECT_EQ(format.error().code, Code::kInvalid);
    EXPECT_TRUE(format.error().message.starts_with("x: not read, since this is ")) << c.told;
    EXPECT_NE(format.error().message.find(c.told), std::string::npos) << format.error().message;
  }
}

TEST(InputFormatTest, EverythingElseIsLines) {
  for (const char* head : {"", "\n\n", "{", "[", "[]", "{}", "[[[[", "{\"data\":1}", "\"text\"",
                           R"({"trace_id":"1","span_id":"2"})", "all is well"}) {
    const auto format = FormatOf(head, "x");
    ASSERT_TRUE(format) << head;
    EXPECT_EQ(*format, InputFormat::kLines) << head;
  }
}

}  // namespace
}  // namespace llama::traces
