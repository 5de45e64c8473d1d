#include "report/trace_model.h"

#include <gtest/gtest.h>

#include <random>

#include "base/file.h"

namespace llama::report {
namespace {

constexpr char kIds[] =
    R"("trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331",)"
    R"("parent_id":"00f067aa0ba902b7")";

std::string Line(std::string_view rest) {
  return std::string("{").append(kIds).append(",").append(rest).append("}");
}

TraceModel LoadLine(const std::string& line) {
  TraceReader reader;
  reader.AddLine(line);
  return reader.Take();
}

TEST(TraceModelTest, ReadsWhatTheWriterWrites) {
  trace::Span span = trace::StartSpan("invoke", {{1, 2}, 3}, 1'795'335'650'123'456'789);
  span.duration_ns = 42;
  span.Set("payload_bytes", 5);
  span.Set("cold_start", true);
  span.Set("billed_ms", 7.0);
  span.Set("unknown", "x");
  std::string line;
  trace::AppendJsonLine(line, span);
  const TraceModel model = LoadLine(line.substr(0, line.size() - 1));
  ASSERT_EQ(model.spans.size(), 1u);
  EXPECT_EQ(model.spans[0].trace_id, span.trace_id);
  EXPECT_EQ(model.spans[0].span_id, span.span_id);
  EXPECT_EQ(model.spans[0].parent_id, 3u);
  EXPECT_EQ(model.spans[0].start_ns, span.start_ns);
  EXPECT_EQ(model.spans[0].duration_ns, 42);
  ASSERT_EQ(model.invokes.size(), 1u);
  EXPECT_EQ(model.invokes[0].payload_bytes, 5);
  EXPECT_TRUE(model.invokes[0].cold_start);
  EXPECT_EQ(model.invokes[0].billed_ms, 7);
  EXPECT_EQ(model.invokes[0].memory_mb, std::nullopt);
}

TEST(TraceModelTest, TakesKeysInAnyOrderAndUnknownOnes) {
  const TraceModel model = LoadLine(
      Line(R"("fields":{"source":"a\"b.c","nested":{"remote":true},"remote":false},"extra":[1,{}],)"
           R"("duration":5,"start":"2026-11-22T10:20:50+02:00","name":"llamacc")"));
  ASSERT_EQ(model.compiles.size(), 1u);
  EXPECT_EQ(model.compiles[0].source, "a\"b.c");
  EXPECT_FALSE(model.compiles[0].remote);
  EXPECT_EQ(model.spans[0].start_ns, 1'795'335'650'000'000'000);
}

TEST(TraceModelTest, FieldOfTheWrongKindCountsAsAbsent) {
  const TraceModel model =
      LoadLine(Line(R"("name":"invoke","start":"2026-11-22T08:20:50Z","duration":5,"fields":{)"
                    R"("payload_bytes":-1,"answer_bytes":"many","cold_start":1,"billed_ms":1e300,)"
                    R"("memory_mb":null,"queued_ns":99999999999999999999,"attempt":{}})"));
  ASSERT_EQ(model.invokes.size(), 1u);
  EXPECT_EQ(model.invokes[0].payload_bytes, 0);
  EXPECT_EQ(model.invokes[0].answer_bytes, 0);
  EXPECT_FALSE(model.invokes[0].cold_start);
  EXPECT_EQ(model.invokes[0].billed_ms, std::nullopt);
  EXPECT_EQ(model.invokes[0].memory_mb, std::nullopt);
  EXPECT_EQ(model.invokes[0].queued_ns, 0);
  EXPECT_EQ(model.invokes[0].attempt, 1);
}

TEST(TraceModelTest, MalformedLinesAreCounted) {
  const std::string cases[] = {
      "",
      "x",
      "{}",
      "[]",
      "null",
      "{\"trace_id\":",
      Line(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":5)") + "{",
      Line(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":5,"fields":[])"),
      Line(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":-5)"),
      Line(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":9223372036854775807)"),
      Line(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":"5")"),
      Line(R"("name":"x","start":"yesterday","duration":5)"),
      Line(R"("name":7,"start":"2026-11-22T08:20:50Z","duration":5)"),
      Line(R"("name":"x","start":"2026-11-22T08:20:50Z")"),
      Line(R"("start":"2026-11-22T08:20:50Z","duration":5)"),
      R"({"trace_id":"1","span_id":"b7ad6b7169203331","parent_id":"","name":"x",)"
      R"("start":"2026-11-22T08:20:50Z","duration":5})",
      Line("\"name\":\"\xff\",\"start\":\"2026-11-22T08:20:50Z\",\"duration\":5"),
  };
  for (const std::string& line : cases) {
    const TraceModel model = LoadLine(line);
    EXPECT_EQ(model.malformed_lines, 1u) << line;
    EXPECT_TRUE(model.spans.empty()) << line;
  }
}

TEST(TraceModelTest, ParentMayBeMissingOrNull) {
  constexpr char kRest[] =
      R"("span_id":"b7ad6b7169203331","name":"x","start":"2026-11-22T08:20:50Z","duration":5})";
  const std::string trace = R"({"trace_id":"0af7651916cd43dd8448eb211c80319c",)";
  for (const std::string& line : {trace + kRest, trace + R"("parent_id":null,)" + kRest}) {
    const TraceModel model = LoadLine(line);
    EXPECT_EQ(model.malformed_lines, 0u) << line;
    ASSERT_EQ(model.spans.size(), 1u);
    EXPECT_EQ(model.spans[0].parent_id, 0u);
  }
}

// Whatever a bit does, a line is read or counted, and nothing is read out of bounds.
TEST(TraceModelTest, BrokenLinesNeverCrash) {
  const std::string good =
      Line(R"("name":"invoke","start":"2026-11-22T08:20:50.5Z","duration":5,"fields":{)"
           R"("payload_bytes":12,"reason":"caf\u00e9 \ud83e\udd99","cost_usd":1.5e-7}})");
  std::mt19937 random(1);
  TraceReader reader;
  constexpr uint64_t kRounds = 20'000;
  for (uint64_t i = 0; i < kRounds; ++i) {
    std::string line = good.substr(0, good.size() - random() % 4);
    for (unsigned flips = random() % 4; flips > 0; --flips) {
      line[random() % line.size()] = static_cast<char>(random());
    }
    reader.AddLine(line);
  }
  const TraceModel model = reader.Take();
  EXPECT_EQ(model.spans.size() + model.malformed_lines, kRounds);
}

TEST(TraceModelTest, MissingFileIsNotFound) {
  const auto loaded = LoadTrace("/nonexistent/trace.ndjson.zst");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kNotFound);
}

TEST(TraceModelTest, SaysThatAFileWasCutOff) {
  auto dir = TempDir::Create();
  ASSERT_TRUE(dir);
  const std::string path = dir->path() + "/trace";
  const std::string line = Line(R"("name":"x","start":"2026-11-22T08:20:50Z","duration":5)");
  ASSERT_TRUE(WriteFileAtomic(path, line + "\n" + line.substr(0, 30), 0600));
  const auto model = LoadTrace(path);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->spans.size(), 1u);
  EXPECT_EQ(model->malformed_lines, 0u);
  EXPECT_TRUE(model->truncated);
}

}  // namespace
}  // namespace llama::report
