// One build of ten seconds in which every cell is known, and one that tells nothing.
#include "analysis/resources/use_table.h"

#include <gtest/gtest.h>

#include "base/text/json.h"
#include "report/report.h"
#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::analysis {
namespace {

// The machine's two samples, a second each, of two cores:
//   CPU 1.5 s + 0.1 s of 4 s = 0.4, at most 1.5 of 2; waited for 0.4 s of 2 s = 0.2
//   memory in use 0.6 and 0.2 of it; disk busy 0.1 s + 0.3 s, waited for 0.05 s
//   sent 3000 + 1000 bytes, received 1000 + 1000
constexpr const char* kMachine[] = {
    R"("cpu.cores":2,"cpu.user_ns":1000000000,"cpu.system_ns":500000000,"cpu.iowait_ns":7,)"
    R"("cpu.steal_ns":3,"cpu.pressure_ns":400000000,"cpu.runnable":5,"memory.bytes":1000,)"
    R"("memory.available_bytes":400,"memory.pressure_ns":0,"disk.busy_ns":100000000,)"
    R"("disk.read_bytes":10,"disk.written_bytes":20,"io.pressure_ns":50000000,)"
    R"("network.sent_bytes":3000,"network.received_bytes":1000)",
    R"("cpu.cores":2,"cpu.user_ns":100000000,"cpu.system_ns":0,"cpu.iowait_ns":0,)"
    R"("cpu.steal_ns":0,"cpu.pressure_ns":0,"cpu.runnable":1,"memory.bytes":1000,)"
    R"("memory.available_bytes":800,"memory.pressure_ns":0,"disk.busy_ns":300000000,)"
    R"("disk.read_bytes":1,"disk.written_bytes":2,"io.pressure_ns":0,)"
    R"("network.sent_bytes":1000,"network.received_bytes":1000)"};

// Two compiles of `make -j2`; times in ms:
//   a  1000–6000  sync 1000–2000 uploads; invoke 2000–5000, queued until 2500;
//                 materialise 4000–4600 fetches 3; exec 4600–5000, 200 ms of CPU
//   b  1500–4000  sync 1500–2500 uploads and fails; invoke 2500–3500 fails; abandoned
std::string TenSecondsText() {
  return traces::SpanText(1, 1, 0, "build", 0, 10'000, R"("command":"make -j2")") +
         traces::SpanText(1, 2, 1, "machine", 0, 1000, kMachine[0]) +
         traces::SpanText(1, 3, 1, "machine", 1000, 1000, kMachine[1]) +
         traces::SpanText(2, 1, 0, "llamacc", 1000, 5000, R"("remote":true,"source":"a.c")") +
         traces::SpanText(2, 2, 1, "sync", 1000, 1000,
                          R"("uploaded_bytes":1000,"store_requests":2)") +
         traces::SpanText(2, 3, 1, "invoke", 2000, 3000,
                          R"("function":"lambda:f","queued_ns":500000000,"payload_bytes":100,)"
                          R"("answer_bytes":300,"memory_mb":1769)") +
         traces::SpanText(2, 4, 3, "worker", 3500, 1500) +
         traces::SpanText(2, 5, 4, "materialise", 4000, 600, R"("fetched_objects":3)") +
         traces::SpanText(2, 6, 4, "exec", 4600, 400,
                          R"("user_ns":150000000,"system_ns":50000000,"max_rss_bytes":77)") +
         traces::SpanText(3, 1, 0, "llamacc", 1500, 2500, R"("remote":true,"abandoned":true)") +
         traces::SpanText(3, 2, 1, "sync", 1500, 1000,
                          R"("uploaded_bytes":500,"store_requests":1,"error":"lost")") +
         traces::SpanText(
             3, 3, 1, "invoke", 2500, 1000,
             R"("function":"lambda:f","payload_bytes":200,"answer_bytes":100,"error":"x")") +
         traces::SpanText(3, 4, 3, "worker", 2600, 500) +
         traces::SpanText(3, 5, 4, "exec", 2600, 400, R"("signal":9)");
}

std::vector<UseRow> Use(const std::string& text) {
  const traces::Columns trace = traces::LoadText(text, {.correct_clocks = false});
  const Units units = FindUnits(trace);
  return MeasureUse(trace, units, FindJobSlots(trace, units));
}

int64_t FigureOf(const UseRow& row, std::string_view key) {
  for (const auto& [name, value] : row.figures) {
    if (name == key) return value;
  }
  return -1;
}

struct Expected {
  const char* resource;
  std::optional<double> utilisation;
  bool at_most;
  std::optional<double> peak;
  std::optional<double> saturation;
  std::optional<uint64_t> errors;
};

void ExpectCell(const std::optional<double>& value, const std::optional<double>& expected,
                const std::string& what) {
  ASSERT_EQ(value.has_value(), expected.has_value()) << what;
  EXPECT_NEAR(value.value_or(0), expected.value_or(0), 1e-9) << what;
}

// Of 3 s that were used: 1 s the build's, 0.5 s the daemon's with 0.3 s of cc -M among it, 0.6 s
// its workers', 0.2 s another build's, and 0.7 s nobody's that is known. Requests that were made
// again failed before.
TEST(UseTableTest, SaysWhoseProcessesHadTheProcessors) {
  const std::vector<UseRow> rows =
      Use(traces::SpanText(1, 1, 0, "build", 0, 2000) +
          traces::SpanText(1, 2, 1, "machine", 0, 2000,
                           R"("cpu.cores":2,"cpu.user_ns":2900000000,"cpu.system_ns":100000000,)"
                           R"("cpu.build_ns":1000000000,"cpu.other_builds_ns":200000000,)"
                           R"("daemon.user_ns":150000000,"daemon.system_ns":50000000,)"
                           R"("daemon.children_ns":300000000,"workers.cpu_ns":600000000)") +
          traces::SpanText(2, 1, 0, "llamacc", 0, 1000, R"("remote":true)") +
          traces::SpanText(2, 2, 1, "sync", 0, 100, R"("store_requests":1,"retried_requests":2)") +
          traces::SpanText(2, 3, 1, "invoke", 100, 900, R"("retried_requests":3)") +
          traces::SpanText(2, 4, 3, "exec", 100, 900, R"("user_ns":600000000,"system_ns":0)"));
  const auto cpu_ms = [&](std::string_view key) { return FigureOf(rows.at(0), key) / 1'000'000; };
  EXPECT_EQ(cpu_ms("build_ns"), 1000);
  EXPECT_EQ(cpu_ms("daemon_ns"), 500);
  EXPECT_EQ(cpu_ms("daemon_children_ns"), 300);
  EXPECT_EQ(cpu_ms("workers_ns"), 600);
  EXPECT_EQ(cpu_ms("other_builds_ns"), 200);
  EXPECT_EQ(cpu_ms("other_programs_ns"), 700);
  EXPECT_NE(rows.at(0).note.find("30 % of what was used by others"), std::string::npos);
  EXPECT_EQ(rows.at(5).errors, 2u);
  EXPECT_EQ(rows.at(6).errors, 3u);
}

TEST(UseTableTest, EveryCellIsWhatTheSpansSay) {
  const Expected expected[] = {
      {"cpu", 0.4, false, 0.75, 0.2, {}},
      {"memory", 0.4, false, 0.6, 0.0, {}},
      {"disk", 0.2, false, 0.3, 0.025, {}},
      // 4000 bytes in 2 s, of at most 3000 a second. Both uploads at once: 1500–2000.
      {"uplink", 2.0 / 3, true, {}, 0.05, {}},
      {"downlink", 1.0, true, {}, {}, {}},
      {"store", 0.21, false, {}, {}, 1},  // 1000–2500 and 4000–4600
      // At work 2500–5000 and 2500–3500, 0.35 on average; waited for 2000–2500.
      {"functions", 0.175, true, {}, 0.05, 1},
      {"slots", 0.375, false, {}, 0.25, 1},  // 5 s + 2.5 s of 20 s; both taken 1500–4000
      {"worker_cpu", 0.5, false, {}, {}, 1},
  };
  const std::vector<UseRow> rows = Use(TenSecondsText());
  ASSERT_EQ(rows.size(), std::size(expected));
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string what = expected[i].resource;
    EXPECT_EQ(rows[i].resource, what);
    ExpectCell(rows[i].utilisation, expected[i].utilisation, what + " utilisation");
    EXPECT_EQ(rows[i].at_most, expected[i].at_most) << what;
    ExpectCell(rows[i].peak, expected[i].peak, what + " peak");
    ExpectCell(rows[i].saturation, expected[i].saturation, what + " saturation");
    EXPECT_EQ(rows[i].errors, expected[i].errors) << what;
  }
}

TEST(UseTableTest, TheFiguresBehindThem) {
  const std::vector<UseRow> rows = Use(TenSecondsText());
  struct Case {
    size_t row;
    const char* key;
    int64_t value;
  };
  const Case cases[] = {
      {0, "cores", 2},
      {0, "user_ns", 1'100'000'000},
      {0, "system_ns", 500'000'000},
      {0, "iowait_ns", 7},
      {0, "steal_ns", 3},
      {0, "max_runnable", 5},
      {1, "bytes", 1000},
      {2, "read_bytes", 11},
      {2, "written_bytes", 22},
      {3, "bytes", 1800},  // uploads of 1500, payloads of 300
      {3, "machine_bytes", 4000},
      {3, "bytes_per_second", 2000},
      {3, "max_bytes_per_second", 3000},
      {4, "bytes", 400},
      {5, "puts", 3},
      {5, "gets", 3},
      {5, "fetch_p50_ns", 600'000'000},
      {6, "max_in_flight", 2},
      {6, "invocations", 2},
      {7, "max_running", 2},
      {7, "slots", 2},
      {8, "cpu_ns", 200'000'000},
      {8, "max_rss_bytes", 77},
  };
  for (const Case& c : cases) EXPECT_EQ(FigureOf(rows[c.row], c.key), c.value) << c.key;
}

// Three invocations at once, which two workers did: the third was on its way.
TEST(UseTableTest, CapacityIsWhatRan) {
  const auto call = [](int trace, const char* worker) {
    return traces::SpanText(trace, 1, 0, "llamacc", 0, 1000, R"("remote":true)") +
           traces::SpanText(trace, 2, 1, "invoke", 0, 1000,
                            std::string(R"("worker_id":")").append(worker).append("\""));
  };
  const std::string two = traces::SpanText(9, 1, 0, "build", 0, 1000, R"("jobs":1)") +
                          call(1, "a") + call(2, "b") + call(3, "a");
  const std::vector<UseRow> rows = Use(two);
  EXPECT_EQ(FigureOf(rows[6], "max_in_flight"), 2);
  EXPECT_EQ(rows[6].utilisation, 1.0);
  // More than one unit for the only slot is not a share of it.
  EXPECT_EQ(rows[7].note, "3.0 units in 1") << rows[7].note;
}

TEST(UseTableTest, WhatIsNotKnownIsAbsent) {
  const std::vector<UseRow> rows = Use(traces::SpanText(1, 1, 0, "build", 0, 1000));
  for (const UseRow& row : rows) {
    EXPECT_FALSE(row.utilisation) << row.resource;
    EXPECT_FALSE(row.peak) << row.resource;
    EXPECT_FALSE(row.errors) << row.resource;
  }
  TextWriter out({});
  WriteUse(rows, out);
  EXPECT_NE(out.text().find("local CPU             –     –           –       –\n"),
            std::string::npos)
      << out.text();
  JsonWriter json;
  json.BeginObject();
  AddUseJson(rows, json);
  EXPECT_NE(json.str().find(R"({"resource":"cpu","utilisation":null,"at_most":false,)"
                            R"("peak":null,"saturation":null,"errors":null})"),
            std::string::npos)
      << json.str();
}

TEST(UseTableTest, FunctionsOnThisMachineUseNoLink) {
  const std::vector<UseRow> rows =
      Use(traces::SpanText(1, 1, 0, "llamacc", 0, 100) +
          traces::SpanText(1, 2, 1, "invoke", 0, 100, R"("function":"local","payload_bytes":5)"));
  EXPECT_FALSE(rows[3].saturation);
  EXPECT_TRUE(rows[3].figures.empty());
}

TEST(UseTableTest, ShortSamplesHaveNoPeak) {
  // 100 ms in which the kernel's clock ticked for 20: no busiest second.
  const std::vector<UseRow> rows = Use(
      traces::SpanText(1, 1, 0, "machine", 0, 100, R"("cpu.cores":1,"cpu.user_ns":100000000)") +
      traces::SpanText(1, 2, 0, "machine", 100, 900, R"("cpu.cores":1,"cpu.user_ns":90000000)"));
  EXPECT_NEAR(*rows[0].utilisation, 0.19, 1e-9);
  EXPECT_NEAR(*rows[0].peak, 0.19, 1e-9);
}

// A nanosecond of 2^63 - 1 bytes is 10^9 times what an int64 holds.
TEST(UseTable, RatesStopAtTheLargestNumber) {
  const traces::Columns trace = traces::LoadText(
      traces::SpanText(1, 1, 0, "build", 0, 10'000) +
      traces::SpanText(1, 2, 1, "machine", 0, 1000, R"("network.sent_bytes":9223372036854775807)") +
      traces::SpanText(1, 3, 1, "machine", 1000, 500,
                       R"("network.sent_bytes":9223372036854775807)"));
  const report::Report report = report::MakeReport(trace);
  const std::string json = report::FormatReportJson(trace, report);
  EXPECT_NE(json.find(R"("max_bytes_per_second":9223372036854775807)"), std::string::npos) << json;
  EXPECT_EQ(json.find(R"(bytes_per_second":-)"), std::string::npos) << json;
}

}  // namespace
}  // namespace llama::analysis
