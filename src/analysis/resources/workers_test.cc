#include "analysis/resources/workers.h"

#include <gtest/gtest.h>

#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::analysis {
namespace {

//   w1: started for its first job, at work 100–300 and 400–500; idle in between
//   w2: sent no span of its own: at work from 150 (it was queued until then) to 200
//   and one invocation that names no worker
std::string ThreeJobs() {
  return traces::SpanText(1, 1, 0, "llamacc", 0, 320) +
         traces::SpanText(
             1, 2, 1, "invoke", 50, 260,
             R"("worker_id":"w1","cold_start":true,"init_ns":30000000,"billed_ms":230,)"
             R"("fetched_bytes":1000,"user_ns":120000000,"system_ns":30000000)") +
         traces::SpanText(1, 3, 2, "worker", 100, 200, R"("worker_id":"w1")") +
         traces::SpanText(2, 1, 0, "llamacc", 380, 140) +
         traces::SpanText(
             2, 2, 1, "invoke", 390, 120,
             R"("worker_id":"w1","cold_start":false,"billed_ms":100,"user_ns":90000000)") +
         traces::SpanText(2, 3, 2, "worker", 400, 100, R"("worker_id":"w1")") +
         traces::SpanText(3, 1, 0, "llamacc", 100, 100) +
         traces::SpanText(3, 2, 1, "invoke", 100, 100, R"("worker_id":"w2","queued_ns":50000000)") +
         traces::SpanText(4, 1, 0, "llamacc", 100, 100) +
         traces::SpanText(4, 2, 1, "invoke", 100, 100, R"("error":"lost")");
}

TEST(WorkersTest, SaysWhatEachDid) {
  const traces::Columns trace = traces::LoadText(ThreeJobs(), {.correct_clocks = false});
  const Workers workers = FindWorkers(trace);
  ASSERT_EQ(workers.all.size(), 2u);
  EXPECT_EQ(workers.unattributed, 1u);
  const Worker& w1 = workers.all[0];
  EXPECT_EQ(trace.text(w1.id), "w1");
  EXPECT_EQ(w1.jobs, 2u);
  EXPECT_EQ(w1.cold_starts, 1u);
  EXPECT_EQ(w1.init_ns, 30 * traces::kTestMs);
  EXPECT_EQ(w1.first_ns, traces::kTestStartNs + 100 * traces::kTestMs);
  EXPECT_EQ(w1.last_ns, traces::kTestStartNs + 500 * traces::kTestMs);
  EXPECT_EQ(w1.busy_ns, 300 * traces::kTestMs);
  EXPECT_EQ(w1.idle_ns, 100 * traces::kTestMs);
  EXPECT_EQ(w1.cpu_ns, 240 * traces::kTestMs);
  EXPECT_EQ(w1.billed_ms, 330);
  EXPECT_EQ(w1.fetched_bytes, 1000);
  EXPECT_FALSE(w1.clock_offset_ns);
  const Worker& w2 = workers.all[1];
  EXPECT_EQ(w2.jobs, 1u);
  EXPECT_EQ(w2.busy_ns, 50 * traces::kTestMs);
  EXPECT_EQ(w2.idle_ns, 0);
  EXPECT_EQ(workers.busy_ns, 350 * traces::kTestMs);
  EXPECT_EQ(workers.idle_ns, 100 * traces::kTestMs);
}

TEST(WorkersTest, AndHowFarItsClockWasOff) {
  // The worker's 5,050–5,150 within the client's 0–120: between −5,050 and −5,030 have to be added.
  const traces::Columns trace =
      traces::LoadText(traces::SpanText(1, 1, 0, "llamacc", 0, 120) +
                       traces::SpanText(1, 2, 1, "invoke", 0, 120, R"("worker_id":"w1")") +
                       traces::SpanText(1, 3, 2, "worker", 5050, 100, R"("worker_id":"w1")"));
  const Workers workers = FindWorkers(trace);
  ASSERT_EQ(workers.all.size(), 1u);
  EXPECT_EQ(workers.all[0].clock_offset_ns, -5040 * traces::kTestMs);
  EXPECT_EQ(workers.all[0].clock_uncertainty_ns, 10 * traces::kTestMs);
  EXPECT_EQ(workers.clocks, 1u);
  EXPECT_EQ(workers.max_offset_ns, 5040 * traces::kTestMs);
  TextWriter out({});
  WriteWorkers(trace, workers, out);
  EXPECT_NE(out.text().find("−5.04 s ± 10.0 ms"), std::string::npos) << out.text();
}

TEST(WorkersTest, NoWorkersNoSection) {
  const traces::Columns trace = traces::LoadText(traces::SpanText(1, 1, 0, "llamacc", 0, 1));
  TextWriter out({});
  WriteWorkers(trace, FindWorkers(trace), out);
  EXPECT_EQ(out.text(), "");
}

}  // namespace
}  // namespace llama::analysis
