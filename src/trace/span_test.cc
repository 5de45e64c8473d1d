#include "trace/span.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace llama::trace {
namespace {

TEST(TimeTest, FormatsEveryKindOfDay) {
  struct Case {
    int64_t time_ns;
    const char* text;
  };
  const Case cases[] = {
      {0, "1970-01-01T00:00:00.000000000Z"},
      {1'795'335'650'123'456'789, "2026-11-22T08:20:50.123456789Z"},
      {951'782'400'000'000'000, "2000-02-29T00:00:00.000000000Z"},
      {1'709'251'199'999'999'999, "2024-02-29T23:59:59.999999999Z"},
      {1'709'251'200'000'000'000, "2024-03-01T00:00:00.000000000Z"},
      {-1, "1969-12-31T23:59:59.999999999Z"},
      {std::numeric_limits<int64_t>::min(), "1677-09-21T00:12:43.145224192Z"},
      {std::numeric_limits<int64_t>::max(), "2262-04-11T23:47:16.854775807Z"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(FormatTime(c.time_ns), c.text);
    EXPECT_EQ(ParseTime(c.text), c.time_ns) << c.text;
  }
}

TEST(TimeTest, ParsesWhatOthersWrite) {
  struct Case {
    const char* text;
    std::optional<int64_t> time_ns;
  };
  const Case cases[] = {
      {"1970-01-01T00:00:01Z", 1'000'000'000},
      {"1970-01-01t00:00:01.5z", 1'500'000'000},
      {"1970-01-01 02:00:00.1234567899+02:00", 123'456'789},
      {"1969-12-31T23:30:00-00:45", 900'000'000'000},
      {"1970-01-01T00:00:01", std::nullopt},
      {"1970-01-01T00:00:01.Z", std::nullopt},
      {"1970-01-01T00:00:01Zx", std::nullopt},
      {"1970-13-01T00:00:01Z", std::nullopt},
      {"1970-01-00T00:00:01Z", std::nullopt},
      {"1970-01-01T24:00:01Z", std::nullopt},
      {"1970-01-01T00:60:01Z", std::nullopt},
      {"1970-01-01T00:00:01+2:00", std::nullopt},
      {"9999-01-01T00:00:00Z", std::nullopt},
      {"0000-01-01T00:00:00Z", std::nullopt},
      {"-970-01-01T00:00:00Z", std::nullopt},
      {"", std::nullopt},
  };
  for (const Case& c : cases) EXPECT_EQ(ParseTime(c.text), c.time_ns) << c.text;
}

TEST(SpanTest, LineHasEveryKeyAndEscapes) {
  Span span;
  span.trace_id = {0x0123456789abcdef, 0xfedcba9876543210};
  span.span_id = 0x1;
  span.name = "in\"voke";
  span.duration_ns = 42;
  span.Set("source", "a\n\xff.c");
  span.Set("remote", true);
  span.Set("billed_ms", int64_t{-7});
  span.Set("cost_usd", 0.25);
  span.Set("rung", "old");
  span.Set("nan", std::numeric_limits<double>::quiet_NaN());
  span.Set("rung", "cc -M");
  std::string line;
  AppendJsonLine(line, span);
  EXPECT_EQ(line, R"({"trace_id":"0123456789abcdeffedcba9876543210","span_id":"0000000000000001",)"
                  R"("parent_id":"","name":"in\"voke","start":"1970-01-01T00:00:00.000000000Z",)"
                  R"("duration":42,"fields":{"source":"a\n)"
                  "\xef\xbf\xbd"
                  R"(.c","remote":true,"billed_ms":-7,"cost_usd":0.25,"nan":null,"rung":"cc -M"}})"
                  "\n");
}

TEST(SpanTest, LastOfEqualKeysCounts) {
  Span span;
  span.Set("status", 0);
  span.Set("status", 2u);
  ASSERT_NE(span.Find("status"), nullptr);
  EXPECT_EQ(*span.Find("status"), Value(int64_t{2}));
  EXPECT_EQ(span.Find("reason"), nullptr);
}

TEST(SpanTest, StartsBelowItsParentOrATraceOfItsOwn) {
  const Span root = StartSpan("build", {}, 5);
  EXPECT_TRUE(root.context().valid());
  EXPECT_EQ(root.parent_id, 0u);
  EXPECT_EQ(root.start_ns, 5);
  const Span child = StartSpan("parse", root.context(), 6);
  EXPECT_EQ(child.trace_id, root.trace_id);
  EXPECT_EQ(child.parent_id, root.span_id);
  EXPECT_NE(child.span_id, root.span_id);
}

TEST(SpanTest, IdsDiffer) {
  std::set<SpanId> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(NewSpanId());
  EXPECT_EQ(ids.size(), 1000u);
}

TEST(TraceparentTest, RoundTrips) {
  const Context context{{0x0af7651916cd43dd, 0x8448eb211c80319c}, 0xb7ad6b7169203331};
  const std::string text = FormatTraceparent(context);
  EXPECT_EQ(text, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(ParseTraceparent(text), context);
}

TEST(TraceparentTest, TakesWellFormedOnly) {
  struct Case {
    const char* text;
    bool valid;
  };
  const Case cases[] = {
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true},
      {"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true},
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more", false},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false},
      {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x", false},
      {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false},
      {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
      {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
      {"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
      {"", false},
  };
  for (const Case& c : cases) EXPECT_EQ(ParseTraceparent(c.text).has_value(), c.valid) << c.text;
}

TEST(SpanCodecTest, RoundTrips) {
  Span span = StartSpan("exec", {{1, 2}, 3}, 1'600'000'000'000'000'000);
  span.duration_ns = -5;
  span.Set("user_ns", int64_t{-9});
  span.Set("cost_usd", 1e-7);
  span.Set("cold_start", false);
  span.Set("worker_id", "w\0x");
  Encoder out;
  Encode(out, span);
  const std::string bytes = out.Take();
  Decoder in(bytes);
  const Span back = DecodeSpan(in);
  ASSERT_TRUE(in.Done());
  EXPECT_EQ(back.context(), span.context());
  EXPECT_EQ(back.parent_id, 3u);
  EXPECT_EQ(back.name, "exec");
  EXPECT_EQ(back.start_ns, span.start_ns);
  EXPECT_EQ(back.duration_ns, -5);
  EXPECT_EQ(back.fields, span.fields);

  for (size_t size = 0; size < bytes.size(); ++size) {
    Decoder cut(std::string_view(bytes).substr(0, size));
    (void)DecodeSpan(cut);
    EXPECT_FALSE(cut.ok()) << size;
  }
}

TEST(SpanCodecTest, KeepsTheLastFieldsOfTooMany) {
  Span span = StartSpan("exec", {}, 0);
  for (int i = 0; i < 300; ++i) span.Set(std::to_string(i), i);
  Encoder out;
  Encode(out, span);
  Decoder in(out.str());
  const Span back = DecodeSpan(in);
  ASSERT_TRUE(in.Done());
  EXPECT_EQ(back.fields.size(), 256u);
  EXPECT_EQ(back.fields.back().first, "299");
}

TEST(SpanCodecTest, UnknownKindOfValueFails) {
  Span span = StartSpan("exec", {}, 0);
  span.Set("k", true);
  Encoder out;
  Encode(out, span);
  std::string bytes = out.Take();
  bytes[bytes.size() - 2] = 9;
  Decoder in(bytes);
  (void)DecodeSpan(in);
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace llama::trace
