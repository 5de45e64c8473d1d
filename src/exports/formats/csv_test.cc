#include <gtest/gtest.h>

#include <algorithm>

#include "exports/formats/formats.h"
#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::exports {
namespace {

using traces::SpanText;

std::string WrittenCsv(std::string_view trace, uint64_t max_bytes = Output::kNoLimit,
                       ExportOptions options = {}) {
  const traces::Columns columns = traces::LoadText(trace);
  const auto selection = Selection::Of(columns);
  EXPECT_TRUE(selection.has_value());
  StringSink sink;
  Output out(sink, max_bytes);
  (void)WriteCsv(*selection, options, out);
  EXPECT_TRUE(out.Finish().has_value());
  return sink.text();
}

constexpr char kFixed[] =
    "build,trace_id,span_id,parent_id,name,path,depth,start,start_ns,duration_ns,self_ns,"
    "raw_start_ns";
constexpr char kSpan[] =
    "00000000000004d2,,x,x,0,2026-11-22T08:20:50.000000000Z,1795335650000000000,5000000,5000000,"
    "1795335650000000000";

std::string Row(std::string_view fields) {
  return ",0000000000000abc0000000000000001," + std::string(kSpan) + std::string(fields) + "\r\n";
}

TEST(CsvTest, GivesEachFieldAColumn) {
  const std::string text = WrittenCsv(SpanText(1, 1234, 0, "x", 0, 5, R"("a":1,"name":true)"));
  EXPECT_EQ(text.substr(0, text.find("\r\n")), std::string(kFixed) + ",a,name_field");
  EXPECT_TRUE(text.ends_with(Row(",1,true"))) << text;
}

TEST(CsvTest, TellsEmptyTextFromNothing) {
  const std::string text = WrittenCsv(SpanText(1, 1234, 0, "x", 0, 5, R"("a":"","b":null)"));
  EXPECT_TRUE(text.ends_with(Row(R"(,"",)"))) << text;
}

TEST(CsvTest, GivesASpreadsheetNoFormulas) {
  const std::string text = WrittenCsv(SpanText(
      1, 1234, 0, "x", 0, 5, R"x("a":"=1+1","b":"@SUM(A1)","c":"-1","d":-1,"e":"+,","f":"a=b")x"));
  EXPECT_TRUE(text.ends_with(Row(R"(,'=1+1,'@SUM(A1),'-1,-1,"'+,",a=b)"))) << text;
}

TEST(CsvTest, QuotesWhatAReaderWouldTakeApart) {
  const std::string text = WrittenCsv(
      SpanText(1, 1234, 0, "x", 0, 5, R"("a":"1,2","b":"\"q\"","c":"l\nm","d":" pad","e":"it's")"));
  EXPECT_TRUE(text.ends_with(Row(",\"1,2\",\"\"\"q\"\"\",\"l\nm\",\" pad\",it's"))) << text;
}

TEST(CsvTest, KeepsWholeLinesWithinItsLimit) {
  const std::string trace = SpanText(1, 1, 0, "x", 0, 5) + SpanText(2, 1, 0, "x", 1, 5);
  const std::string all = WrittenCsv(trace);
  const std::string cut = WrittenCsv(trace, all.size() - 1);
  EXPECT_LT(cut.size(), all.size());
  EXPECT_TRUE(all.starts_with(cut) && cut.ends_with("\r\n"));
  EXPECT_EQ(std::count(cut.begin(), cut.end(), '\n'), 2);
}

TEST(CsvTest, LeavesFieldsOutIfToldTo) {
  ExportOptions options;
  options.fields = false;
  const std::string text =
      WrittenCsv(SpanText(1, 1234, 0, "x", 0, 5, R"("a":1)"), Output::kNoLimit, options);
  EXPECT_TRUE(text.starts_with(std::string(kFixed) + "\r\n") && text.ends_with(Row(""))) << text;
}

}  // namespace
}  // namespace llama::exports
