// A small trace made by hand, with the answers worked out by hand.
#include "analysis/resources/summary.h"

#include <gtest/gtest.h>

#include "base/text/json.h"
#include "traces/load/loader.h"

namespace llama::analysis {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kStartNs = 1'795'335'650'000'000'000;  // 2026-11-22T08:20:50Z

// A span line; times are milliseconds from the start of the build.
class SampleTrace {
 public:
  void Add(int trace, int span, int parent, std::string_view name, int64_t start_ms,
           int64_t duration_ms, std::string_view fields = "") {
    trace::Span row;
    row.trace_id = {0, static_cast<uint64_t>(trace)};
    row.span_id = static_cast<uint64_t>(span);
    row.parent_id = static_cast<uint64_t>(parent);
    row.name = name;
    row.start_ns = kStartNs + start_ms * kMs;
    row.duration_ns = duration_ms * kMs;
    std::string line;
    trace::AppendJsonLine(line, row);
    line.replace(line.rfind("{}"), 2, std::string("{").append(fields).append("}"));
    lines_.push_back(line.substr(0, line.size() - 1));
  }
  void AddRaw(std::string line) { lines_.push_back(std::move(line)); }
  traces::Columns Load() const {
    std::string text;
    for (const std::string& line : lines_) text.append(line).append("\n");
    return traces::LoadText(text);
  }

 private:
  std::vector<std::string> lines_;
};

// Ten seconds. Two remote compiles overlap from 2 s to 3 s; the second was tried twice. Two local
// runs.
SampleTrace TenSeconds() {
  SampleTrace t;
  t.Add(1, 1, 0, "build", 0, 10'000,
        R"("global.build_id":"b1","name":"before","command":"make -j2","status":2)");

  t.Add(2, 20, 0, "llamacc", 1000, 2000,
        R"("remote":true,"source":"a.c","status":0,"rung":"dependencies")");
  t.Add(2, 21, 20, "parse", 1000, 100);
  t.Add(2, 22, 20, "sync", 1100, 400,
        R"("uploaded_objects":2,"uploaded_bytes":1000,"store_requests":3)");
  t.Add(2, 23, 20, "invoke", 1500, 1500,
        R"("payload_bytes":500,"answer_bytes":700,"queued_ns":500000000,"billed_ms":1000,)"
        R"("memory_mb":2048,"cold_start":true,"attempt":1,"fetched_objects":4,)"
        R"("fetched_bytes":3000)");
  t.Add(2, 24, 23, "worker", 2000, 1000);
  t.Add(2, 25, 24, "exec", 2100, 800);

  t.Add(3, 30, 0, "llamacc", 2000, 4000,
        R"("remote":true,"source":"b.c","status":1,"rung":"dependencies")");
  t.Add(3, 31, 30, "parse", 2000, 0);
  t.Add(3, 32, 30, "invoke", 2000, 1500, R"("payload_bytes":500,"attempt":1,"error":"lost")");
  t.Add(3, 33, 30, "invoke", 3500, 2500,
        R"("payload_bytes":500,"answer_bytes":100,"billed_ms":2500,"memory_mb":1024,)"
        R"("cold_start":false,"attempt":2)");

  t.Add(4, 40, 0, "llamacc", 7000, 500, R"("remote":false,"reason":"link","status":0)");
  t.Add(4, 41, 40, "local", 7100, 400);
  t.Add(5, 50, 0, "llamacc", 8000, 100,
        R"("remote":false,"reason":"option:-fweird","source":"c.c","status":0)");
  return t;
}

std::string TextOf(const Summary& summary, bool color = false) {
  TextWriter out({color});
  WriteHeading(summary, out);
  WriteOverview(summary, out);
  WritePhases(summary, out);
  WriteSlowest(summary, out);
  WriteCost(summary, out);
  WriteReasons(summary, out);
  return out.Take();
}

std::string JsonOf(const Summary& summary) {
  JsonWriter json;
  json.BeginObject();
  AddJson(summary, json);
  json.EndObject();
  return json.Take();
}

TEST(SummaryTest, TellsWhatTheBuildWas) {
  const Summary s = Summarise(TenSeconds().Load());
  EXPECT_TRUE(s.finished);
  EXPECT_EQ(s.build_id, "b1");
  EXPECT_EQ(s.name, "before");
  EXPECT_EQ(s.command, "make -j2");
  EXPECT_EQ(s.status, 2);
  EXPECT_EQ(s.start_ns, kStartNs);
  EXPECT_EQ(s.wall_ns, 10'000 * kMs);
  EXPECT_EQ(s.spans, 14u);
}

TEST(SummaryTest, CountsCompilesWithEveryReason) {
  const Summary s = Summarise(TenSeconds().Load());
  EXPECT_EQ(s.compiles, 4u);
  EXPECT_EQ(s.remote, 2u);
  EXPECT_EQ(s.local, 2u);
  EXPECT_EQ(s.failed, 1u);
  ASSERT_EQ(s.reasons.size(), 2u);
  EXPECT_EQ(s.reasons[0].reason, "link");
  EXPECT_EQ(s.reasons[0].count, 1u);
  EXPECT_EQ(s.reasons[0].sum_ns, 500 * kMs);
  EXPECT_EQ(s.reasons[1].reason, "option:-fweird");
  ASSERT_EQ(s.rungs.size(), 1u);
  EXPECT_EQ(s.rungs[0].count, 2u);
}

TEST(SummaryTest, SaysWhatWasAuditedAndWhatDiffered) {
  SampleTrace t;
  t.Add(1, 1, 0, "llamacc", 0, 9,
        R"("remote":true,"source":"a.c","rung":"superset","audited":true)");
  t.Add(1, 2, 1, "verify", 1, 1, R"("corrected":"/x.h")");
  EXPECT_NE(TextOf(Summarise(t.Load())).find("1 compile here as well: all the same"),
            std::string::npos);
  EXPECT_NE(TextOf(Summarise(t.Load())).find("1 by superset; 1 miss mended by another run"),
            std::string::npos);
  t.Add(2, 3, 0, "llamacc", 0, 9,
        R"("remote":true,"source":"b.c","audited":false,)"
        R"("audit_difference":"/o/b.o")");
  t.Add(3, 4, 0, "llamacc", 0, 9, R"("remote":true,"source":"c.c")");
  const Summary s = Summarise(t.Load());
  EXPECT_EQ(s.corrections, 1u);
  EXPECT_EQ(s.audited, 2u);
  EXPECT_EQ(s.audit_differed, 1u);
  EXPECT_EQ(s.audit_differences, std::vector<std::string>{"b.c: /o/b.o"});
  EXPECT_NE(TextOf(s).find("2 compiles here as well: 1 DIFFER"), std::string::npos);
  EXPECT_NE(JsonOf(s).find(R"("audited":2,"audit_differed":1,"audit_differences":["b.c: /o/b.o"])"),
            std::string::npos);
}

TEST(SummaryTest, MostFrequentReasonComesFirstAndNoneIsUnnamed) {
  SampleTrace t;
  t.Add(1, 1, 0, "llamacc", 0, 1, R"("reason":"z")");
  t.Add(2, 2, 0, "llamacc", 0, 1);
  t.Add(3, 3, 0, "llamacc", 0, 1, R"("reason":"z")");
  const Summary s = Summarise(t.Load());
  ASSERT_EQ(s.reasons.size(), 2u);
  EXPECT_EQ(s.reasons[0].reason, "z");
  EXPECT_EQ(s.reasons[0].count, 2u);
  EXPECT_EQ(s.reasons[1].reason, "unknown");
}

TEST(SummaryTest, SumsTimeByPhaseInTheOrderOfACompile) {
  const Summary s = Summarise(TenSeconds().Load());
  std::vector<std::string> names;
  for (const PhaseStats& phase : s.phases) names.push_back(phase.name);
  EXPECT_EQ(names, (std::vector<std::string>{"llamacc", "parse", "sync", "invoke", "worker", "exec",
                                             "local"}));
  const PhaseStats& compile = s.phases[0];  // 100, 500, 2000, 4000 ms
  EXPECT_EQ(compile.count, 4u);
  EXPECT_EQ(compile.sum_ns, 6600 * kMs);
  EXPECT_EQ(compile.p50_ns, 500 * kMs);
  EXPECT_EQ(compile.p95_ns, 4000 * kMs);
  EXPECT_EQ(compile.p99_ns, 4000 * kMs);
  EXPECT_EQ(compile.max_ns, 4000 * kMs);
  EXPECT_EQ(compile.share, 1);
  // a.c is all children; b.c and the link's first 100 ms and c.c are not:
  // 2000 − 2000, 4000 − 4000, 500 − 400, 100.
  EXPECT_EQ(compile.self_ns, 200 * kMs);
  const PhaseStats& invoke = s.phases[3];  // 1500, 1500, 2500 ms, of 6600
  EXPECT_EQ(invoke.name, "invoke");
  EXPECT_DOUBLE_EQ(invoke.share, 5500.0 / 6600);
  EXPECT_EQ(invoke.self_ns, 4500 * kMs);  // the worker had one of them for 1000 ms
}

std::string PhaseTreeOf(const SampleTrace& t) {
  std::string names;
  for (const PhaseStats& phase : Summarise(t.Load()).phases) {
    names += std::string(static_cast<size_t>(phase.depth), ' ') + phase.name + "\n";
  }
  return names;
}

TEST(SummaryTest, OtherNamesStandBelowWhatTheyOccurredIn) {
  SampleTrace t;
  t.Add(1, 1, 0, "llamacc", 0, 100);
  t.Add(1, 2, 1, "exec", 0, 50);
  t.Add(1, 3, 2, "cc1", 0, 40);
  t.Add(1, 4, 3, "parsing", 0, 30);
  t.Add(1, 5, 2, "as", 40, 10);
  t.Add(1, 6, 1, "write", 60, 10);
  t.Add(2, 7, 0, "own", 0, 10);
  EXPECT_EQ(PhaseTreeOf(t), "llamacc\n exec\n  as\n  cc1\n   parsing\n write\nown\n");
}

TEST(SummaryTest, AKnownPhaseStandsBelowWhatItMostlyOccurredIn) {
  SampleTrace t;
  t.Add(1, 1, 0, "llamacc", 0, 100);
  t.Add(1, 2, 1, "send", 0, 10);
  t.Add(1, 3, 1, "InvokeWithFiles", 10, 90);
  t.Add(1, 4, 3, "runtime.Execute", 10, 80);
  t.Add(1, 5, 4, "exec", 10, 70);
  t.Add(2, 6, 0, "command", 0, 100);
  t.Add(2, 7, 6, "send", 0, 10);
  t.Add(3, 8, 0, "llamacc", 0, 100);
  t.Add(3, 9, 8, "send", 0, 10);
  EXPECT_EQ(PhaseTreeOf(t),
            "llamacc\n send\n InvokeWithFiles\n  runtime.Execute\n   exec\ncommand\n");
}

TEST(SummaryTest, NamesBelowEachOtherAreListedAllTheSame) {
  SampleTrace t;
  t.Add(1, 1, 0, "a", 0, 100);
  t.Add(1, 2, 1, "b", 0, 90);
  t.Add(1, 3, 2, "a", 0, 80);
  t.Add(1, 4, 3, "b", 0, 70);
  t.Add(1, 5, 4, "a", 0, 60);
  t.Add(2, 6, 0, "c", 0, 100);
  t.Add(2, 7, 6, "c", 0, 90);  // below itself
  EXPECT_EQ(PhaseTreeOf(t), "c\na\n b\n");
}

TEST(SummaryTest, TheMachineAndTheBuildAreNoPhases) {
  SampleTrace t;
  t.Add(1, 1, 0, "build", 0, 100);
  t.Add(1, 2, 1, "machine", 0, 50);
  t.Add(2, 3, 0, "runtime", 0, 30);  // without compiles the roots are the whole
  t.Add(2, 4, 3, "step", 0, 10);
  const Summary s = Summarise(t.Load());
  ASSERT_EQ(s.phases.size(), 2u);
  EXPECT_EQ(s.phases[0].name, "runtime");
  EXPECT_DOUBLE_EQ(s.phases[1].share, 1.0 / 3);
}

TEST(SummaryTest, CommandsCountBesideCompiles) {
  SampleTrace t;
  t.Add(1, 1, 0, "command", 0, 30, R"("command":"convert","remote":true)");
  t.Add(2, 2, 0, "llamacc", 0, 10, R"("source":"a.c","remote":true)");
  const Summary s = Summarise(t.Load());
  EXPECT_EQ(s.commands, 1u);
  EXPECT_EQ(s.compiles, 1u);
  ASSERT_EQ(s.slowest.size(), 2u);
  EXPECT_EQ(s.slowest[0].source, "convert");
}

TEST(SummaryTest, PercentilesAreByNearestRank) {
  SampleTrace t;
  for (int i = 1; i <= 200; ++i) t.Add(i, i, 0, "exec", 0, 201 - i);
  const Summary s = Summarise(t.Load());
  ASSERT_EQ(s.phases.size(), 1u);
  EXPECT_EQ(s.phases[0].p50_ns, 100 * kMs);
  EXPECT_EQ(s.phases[0].p95_ns, 190 * kMs);
  EXPECT_EQ(s.phases[0].p99_ns, 198 * kMs);
  EXPECT_EQ(s.phases[0].max_ns, 200 * kMs);
}

// Busy from 2 s to 3 s (one waited half a second), from 2 s to 3.5 s, from 3.5 s to 6 s: 5 s in 10.
TEST(SummaryTest, ConcurrencyLeavesOutTheWaitingForAWorker) {
  const Summary s = Summarise(TenSeconds().Load());
  EXPECT_EQ(s.max_in_flight, 2u);
  EXPECT_DOUBLE_EQ(s.mean_in_flight, 0.5);
}

TEST(SummaryTest, AddsUpWhatTravelled) {
  const Summary s = Summarise(TenSeconds().Load());
  EXPECT_EQ(s.invocations, 3u);
  EXPECT_EQ(s.cold_starts, 1u);
  EXPECT_EQ(s.failed_invocations, 1u);
  EXPECT_EQ(s.retries, 1u);
  EXPECT_EQ(s.bytes_up, 2500);
  EXPECT_EQ(s.bytes_down, 3800);
  EXPECT_EQ(s.store_puts, 3);
  EXPECT_EQ(s.store_gets, 4);
}

// 1 s × 2 GB, 2.5 s × 1 GB, and the lost one's 1.5 s × 1769 MB.
TEST(SummaryTest, CostIsAtThePublishedPrices) {
  const Cost cost = Summarise(TenSeconds().Load()).cost;
  const double gb_seconds = 2 + 2.5 + 1.5 * 1769 / 1024;
  EXPECT_NEAR(cost.gb_seconds, gb_seconds, 1e-9);
  EXPECT_NEAR(cost.compute_usd, gb_seconds * 0.0000166667, 1e-12);
  EXPECT_NEAR(cost.invocations_usd, 3 * 0.20 / 1e6, 1e-12);
  EXPECT_NEAR(cost.store_usd, 3 * 0.005 / 1000 + 4 * 0.0004 / 1000, 1e-12);
  EXPECT_NEAR(cost.total_usd(), cost.compute_usd + cost.invocations_usd + cost.store_usd, 1e-15);
}

TEST(SummaryTest, NamesTheSlowestAndTheirLongestPhase) {
  const Summary s = Summarise(TenSeconds().Load());
  ASSERT_EQ(s.slowest.size(), 4u);
  EXPECT_EQ(s.slowest[0].source, "b.c");
  EXPECT_EQ(s.slowest[0].longest_phase, "invoke");
  EXPECT_EQ(s.slowest[0].longest_phase_ns, 2500 * kMs);
  EXPECT_EQ(s.slowest[1].source, "a.c");
  EXPECT_EQ(s.slowest[1].longest_phase, "exec");
  EXPECT_EQ(s.slowest[2].source, "link");
  EXPECT_FALSE(s.slowest[2].remote);
  EXPECT_EQ(s.slowest[2].longest_phase, "local");
}

TEST(SummaryTest, AtMostTenAreSlowest) {
  SampleTrace t;
  for (int i = 1; i <= 30; ++i) t.Add(i, i, 0, "llamacc", 0, i);
  const Summary s = Summarise(t.Load());
  ASSERT_EQ(s.slowest.size(), 10u);
  EXPECT_EQ(s.slowest.front().duration_ns, 30 * kMs);
  EXPECT_EQ(s.slowest.back().duration_ns, 21 * kMs);
}

TEST(SummaryTest, WithoutItsRootABuildLastsFromFirstToLastSpan) {
  SampleTrace t;
  t.Add(2, 2, 0, "llamacc", 5000, 1000, R"("remote":true)");
  t.Add(3, 3, 0, "llamacc", 2000, 500, R"("remote":true)");
  const Summary s = Summarise(t.Load());
  EXPECT_FALSE(s.finished);
  EXPECT_EQ(s.start_ns, kStartNs + 2000 * kMs);
  EXPECT_EQ(s.wall_ns, 4000 * kMs);
}

TEST(SummaryTest, NothingIsFineToo) {
  const Summary s = Summarise({});
  EXPECT_EQ(s.compiles, 0u);
  EXPECT_EQ(s.wall_ns, 0);
  EXPECT_FALSE(TextOf(s).empty());
  EXPECT_FALSE(JsonOf(s).empty());
}

TEST(TextTest, IsWhatPeopleRead) {
  EXPECT_EQ(TextOf(Summarise(TenSeconds().Load())),
            R"(build b1 "before": make -j2
  wall time       10.0 s, exit status 2
  compiles        4: 2 remote, 2 local, 1 with errors; local: 1 link, 1 option:-fweird
  inputs found    2 by dependencies
  in flight       2 at most, 0.5 on average
  cold starts     1 in 3 invocations; 1 retry; 1 failed
  transferred     2.50 kB up, 3.80 kB down
  store           3 uploads, 4 downloads: 3.50 per remote compile
  price on AWS    $0.000135
time by phase
              count     sum  share     p50     p95     p99     max
  llamacc         4  6.60 s  100 %  500 ms  4.00 s  4.00 s  4.00 s
    parse         2  100 ms  1.5 %       0  100 ms  100 ms  100 ms
    sync          1  400 ms  6.1 %  400 ms  400 ms  400 ms  400 ms
    invoke        3  5.50 s   83 %  1.50 s  2.50 s  2.50 s  2.50 s
      worker      1  1.00 s   15 %  1.00 s  1.00 s  1.00 s  1.00 s
        exec      1  800 ms   12 %  800 ms  800 ms  800 ms  800 ms
    local         1  400 ms  6.1 %  400 ms  400 ms  400 ms  400 ms
slowest units
  duration        ran   mostly     for  unit
       4.00 s  remote   invoke  2.50 s  b.c
       2.00 s  remote     exec  800 ms  a.c
       500 ms   local    local  400 ms  link
       100 ms   local  llamacc  100 ms  c.c
what it would cost on AWS
                        amount      price  share
  computing           7.1 GB-s  $0.000118   87 %
  invocations                3  $0.000001  0.4 %
  store requests             7  $0.000017   12 %
  total                         $0.000135  100 %
  per remote compile            $0.000068
local runs
  runs       sum  reason
       1  500 ms  link
       1  100 ms  option:-fweird
)");
}

TEST(TextTest, ColourIsForTerminalsAndNamesAreHarmless) {
  SampleTrace t;
  t.Add(1, 1, 0, "llamacc", 0, 1, R"("source":"a\u001b[2J\u009b.c")");
  const Summary s = Summarise(t.Load());
  const std::string plain = TextOf(s);
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  EXPECT_NE(plain.find("a?[2J?.c"), std::string::npos);
  EXPECT_NE(TextOf(s, true).find("\x1b[1m"), std::string::npos);
}

TEST(TextTest, ManyReasonsAreToldByKind) {
  SampleTrace t;
  for (int i = 1; i <= 30; ++i) {
    t.Add(i, i, 0, "llamacc", 0, 1,
          std::string(R"("reason":"input:/tmp/)").append(std::to_string(100 + i)).append("\""));
  }
  const std::string text = TextOf(Summarise(t.Load()));
  EXPECT_NE(text.find("    10  10.0 ms  input: other\n"), std::string::npos);
}

TEST(TextTest, ABuildThatHadNothingToDoIsOneLine) {
  SampleTrace t;
  t.Add(1, 1, 0, "build", 0, 12, R"("command":"make","status":0,"up_to_date":true)");
  EXPECT_TRUE(HadNothingToDo(Summarise(t.Load())));
  EXPECT_EQ(OutcomeText(Summarise(t.Load())), "nothing to do: all was up to date (12.0 ms)");
  // One of several folders was up to date.
  t.Add(2, 1, 0, "llamacc", 1, 4, R"("remote":true)");
  EXPECT_FALSE(HadNothingToDo(Summarise(t.Load())));
  EXPECT_EQ(OutcomeText(Summarise(t.Load())), "");
}

// What was cancelled ran nowhere, and is no local run.
TEST(SummaryTest, CountsCancelledCompilesForThemselves) {
  SampleTrace t;
  t.Add(1, 1, 0, "build", 0, 10, R"("command":"make","interrupted":true)");
  t.Add(2, 1, 0, "llamacc", 1, 4, R"("remote":false,"reason":"cancelled","object":"a.o")");
  t.Add(3, 1, 0, "llamacc", 1, 4, R"("remote":false,"reason":"link","object":"a.out")");
  const Summary s = Summarise(t.Load());
  EXPECT_EQ(s.compiles, 2u);
  EXPECT_EQ(s.local, 1u);
  EXPECT_EQ(s.cancelled, 1u);
  ASSERT_EQ(s.reasons.size(), 1u);
  EXPECT_EQ(s.reasons[0].reason, "link");
  EXPECT_EQ(OutcomeText(s), "interrupted after 10.0 ms");
  EXPECT_NE(TextOf(s).find("10.0 ms, interrupted"), std::string::npos) << TextOf(s);
  EXPECT_NE(TextOf(s).find("2: 0 remote, 1 local, 1 cancelled"), std::string::npos) << TextOf(s);
}

TEST(JsonTest, IsWhatProgramsRead) {
  SampleTrace t;
  t.Add(1, 1, 0, "build", 0, 10, R"("global.build_id":"b1","command":"make","status":0)");
  t.Add(2, 2, 0, "llamacc", 1, 4, R"("remote":false,"reason":"link","status":0,"object":"a.out")");
  EXPECT_EQ(
      JsonOf(Summarise(t.Load())),
      R"({"build_id":"b1","name":"","command":"make","status":0,"finished":true,"interrupted":false,)"
      R"("up_to_date":false,"unseen_compiler":null,"failure":null,)"
      R"("start":"2026-11-22T08:20:50.000000000Z","wall_ns":10000000,"other_builds":0,)"
      R"("compiles":1,"remote":0,"local":1,"cancelled":0,"failed":0,"commands":0,)"
      R"("local_reasons":{"link":1},"local_reasons_ns":{"link":4000000},"rungs":{},)"
      R"("corrections":0,"audited":0,"audit_differed":0,"audit_differences":[],)"
      R"("invocations":0,"cold_starts":0,"init_ns":0,"failed_invocations":0,"retries":0,)"
      R"("max_in_flight":0,"mean_in_flight":0,"bytes_up":0,"bytes_down":0,)"
      R"("store_puts":0,"store_gets":0,)"
      R"("cost":{"gb_seconds":0,"compute_usd":0,"invocations_usd":0,"store_usd":0,)"
      R"("total_usd":0},)"
      R"("phases":[{"name":"llamacc","count":1,"sum_ns":4000000,"share":1,)"
      R"("self_ns":4000000,"p50_ns":4000000,"p95_ns":4000000,"p99_ns":4000000,)"
      R"("max_ns":4000000}],)"
      R"("slowest":[{"trace_id":"00000000000000000000000000000002","source":"a.out",)"
      R"("remote":false,"duration_ns":4000000,"longest_phase":"llamacc",)"
      R"("longest_phase_ns":4000000}],)"
      R"("spans":2,"malformed_lines":0,"truncated":false})");
}

}  // namespace
}  // namespace llama::analysis
