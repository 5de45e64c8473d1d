#include "analysis/findings/findings.h"

#include <gtest/gtest.h>

#include <functional>

#include "analysis/findings/testing.h"
#include "base/text/json.h"
#include "report/analysis_json.h"

namespace llama::analysis {
namespace {

// Slots are what bounds it, and twice as many would have halved it; nothing else is to be said.
TEST(Findings, SayLittleOfAHealthyBuild) {
  EXPECT_EQ(Describe(FindIn(BuildText(4000, kJobs8) + Rounds(8))), "slots:4000");
  // Without a limit there is none to raise.
  const auto none = FindIn(BuildText(4000, R"("jobs":0)") + Rounds(8));
  EXPECT_EQ(Describe(none), "");
  EXPECT_EQ(FormatFindings(none), "findings: nothing stands out\n");
}

// Whoever forgot CC=llamacc must not read that all is well.
TEST(Findings, SayThatNothingWentThroughLlama) {
  const auto findings = FindIn(BuildText(4000, kJobs8));
  ASSERT_EQ(Describe(findings), "no-units:4000");
  EXPECT_EQ(findings[0].text, "no compile ran through llama in these 4.00 s");
  EXPECT_NE(findings[0].advice.find("CC=llamacc"), std::string::npos);
  EXPECT_EQ(Describe(FindIn(BuildText(0, kJobs8))), "");
}

// Slots that are full promise nothing where the build host is: 16 processors for 1,000 ms are
// 16,000 ms, of which a sample has 15,840 (99 %) or 14,080 (88 %). The first second has no sample,
// or all but the last.
TEST(Findings, PromiseNothingOfMoreSlotsOnABusyHost) {
  const auto build = [](int from_s, int busy_ms, const char* function) {
    std::string text = BuildText(4000, kJobs8) + Rounds(8);
    const std::string_view usual = "lambda:f";
    for (size_t at = 0; (at = text.find(usual, at)) != text.npos; ++at) {
      text.replace(at, usual.size(), function);
    }
    for (int second = from_s; second < 4; ++second) {
      text += traces::SpanText(1000, 10 + second, 1, "machine", second * 1000, 1000,
                               R"("cpu.cores":16,"cpu.system_ns":1000000000,"cpu.user_ns":)" +
                                   std::to_string((busy_ms - 1000) * kMs));
    }
    return text;
  };
  const auto find = [&](int from_s, int busy_ms, const char* function) {
    const auto findings = FindIn(build(from_s, busy_ms, function));
    EXPECT_EQ(Describe(findings), "slots:4000");
    return findings.at(0);
  };
  const Finding busy = find(1, 15'840, "lambda:f");
  EXPECT_EQ(busy.text,
            "for 100 % of the wall clock all 8 job slots of the build's command were taken, and "
            "their units compiled; the build host's processors were 99 % busy then");
  EXPECT_EQ(busy.advice.find("-j"), std::string::npos) << busy.advice;
  EXPECT_EQ(busy.evidence.back().first, "cpu_busy");
  EXPECT_DOUBLE_EQ(busy.evidence.back().second, 0.99);
  for (const Finding& free : {find(0, 14'080, "lambda:f"), find(3, 15'840, "lambda:f")}) {
    EXPECT_EQ(free.text.find("busy"), std::string::npos) << free.text;
    EXPECT_NE(free.advice.find("-j16 could save up to half"), std::string::npos) << free.advice;
  }
  // On the embedded cloud it is the processors that bound the build.
  EXPECT_EQ(Describe(FindIn(build(0, 15'840, "local"))), "cpu:4000");
}

// 2,000 ms of full slots, then x alone until 6,000.
TEST(Findings, NameTheUnitThatEverythingWaitedFor) {
  const auto findings =
      FindIn(BuildText(6000, kJobs8) + Rounds(4) + RemoteText(50, 2000, 6000, "x"));
  EXPECT_EQ(Describe(findings), "slow-unit:4000 slots:2000");
  EXPECT_EQ(findings[0].subject, "x.c");
  EXPECT_DOUBLE_EQ(findings[0].share, 4.0 / 6);
  EXPECT_EQ(findings[0].text,
            "for 67 % of the wall clock at most 2 jobs ran, waiting for x.c: it took 4.00 s, half "
            "of all units less than 500 ms");
}

// A linker is advised where something was linked, and half of all units only where there are more.
TEST(Findings, AdviseForWhatRanHere) {
  const auto find = [](const char* reason) {
    return FindIn(
        BuildText(4000, kJobs8) +
        LocalText(1, 0, 4000, std::string(R"("source":"x.c","reason":")").append(reason) + "\""));
  };
  const auto compile = find("unsafe-option");
  EXPECT_EQ(Describe(compile), "slow-unit:4000");
  EXPECT_EQ(compile[0].text,
            "for 100 % of the wall clock nothing else ran, waiting for x.c: it took 4.00 s; it ran "
            "on this machine because of unsafe-option");
  EXPECT_EQ(compile[0].advice.find("linker"), std::string::npos);
  EXPECT_NE(find("link").at(0).advice.find("linker"), std::string::npos);
}

// The last unit is no longer than the others: that is how builds end.
TEST(Findings, DoNotBlameTheLastOfEqualUnits) {
  EXPECT_EQ(Describe(FindIn(BuildText(2500, kJobs8) + Rounds(4) + RemoteText(50, 2000, 2500, "x"))),
            "slots:2000");
}

// Six units of 700 ms one after another, 10 ms between them: 4,200 + 50 ms.
TEST(Findings, NameAChain) {
  std::string text = BuildText(4250, kJobs8);
  for (int i = 0; i < 6; ++i) {
    text += RemoteText(i + 1, i * 710, i * 710 + 700, "step" + std::to_string(i));
  }
  const auto findings = FindIn(text);
  EXPECT_EQ(Describe(findings), "serial-chain:4250");
  EXPECT_EQ(findings[0].text,
            "for 100 % of the wall clock 6 units ran one after another, from step0.c to step5.c "
            "(by their timing)");
  // With one slot it is not the units that kept each other waiting.
  text.replace(0, BuildText(4250, kJobs8).size(), BuildText(4250, R"("jobs":1)"));
  EXPECT_EQ(Describe(FindIn(text)), "slots:4200");
}

// Every 300 ms one unit of 900 ms begins, whatever ends: three run, eight could.
TEST(Findings, SayThatMakeWasTheLimit) {
  std::string text = BuildText(20 * 300 + 600, kJobs8);
  for (int i = 0; i < 20; ++i) {
    text += RemoteText(i + 1, i * 300 + i % 2 * 100, i * 300 + 850 + i % 2 * 50);
  }
  const auto findings = FindIn(text);
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].kind, "make");
  EXPECT_NEAR(findings[0].evidence[0].second, 2.7, 0.3);
}

// One of two units at a time runs here, for the same time: half of the wall clock is theirs.
TEST(Findings, CountLocalRunsThatNeedNotBe) {
  const auto build = [](const char* reason) {
    std::string text = BuildText(2000, R"("jobs":2,"cpus":16)");
    for (int i = 0; i < 4; ++i) {
      text += RemoteText(2 * i + 1, i * 500, i * 500 + 500) +
              LocalText(2 * i + 2, i * 500, i * 500 + 500,
                        std::string(R"("source":"a.c","reason":")").append(reason).append("\""));
    }
    return text;
  };
  const auto findings = FindIn(build("unsafe-option:-fplugin"));
  EXPECT_EQ(Describe(findings), "local-runs:1000 slots:1000");
  EXPECT_EQ(findings[0].subject, "unsafe-option:-fplugin");
  EXPECT_EQ(findings[0].text,
            "4 of 8 units ran on this machine and took 50 % of the wall clock; mainly (4) because "
            "of unsafe-option:-fplugin");
  // A link is a link, and a failure is told as such.
  EXPECT_EQ(Describe(FindIn(build("link"))), "slots:2000");
  EXPECT_EQ(Describe(FindIn(build("cloud-unavailable"))), "failures:1000 slots:1000");
}

TEST(Findings, TellOfTheHostsOwnLimits) {
  const auto build = [](const char* sample) {
    return BuildText(2000, kJobs8) + LocalText(1, 0, 2000, R"("reason":"link","object":"x")") +
           LocalText(2, 0, 2000, R"("reason":"link","object":"y")") +
           traces::SpanText(1000, 7, 1, "machine", 0, 2000, sample);
  };
  EXPECT_EQ(Describe(FindIn(build(R"("cpu.cores":2,"cpu.user_ns":3900000000,"cpu.system_ns":0)"))),
            "cpu:2000");
  EXPECT_EQ(Describe(FindIn(build(R"("memory.pressure_ns":1200000000)"))), "memory:600");
  EXPECT_EQ(Describe(FindIn(build(R"("io.pressure_ns":1200000000)"))), "disk:600");
  EXPECT_EQ(Describe(FindIn(build(R"("io.pressure_ns":200000000)"))), "");
  // A trace of before: the counters of a minute on a sample of two seconds.
  EXPECT_EQ(Describe(FindIn(build(R"("io.pressure_ns":12000000000)"))), "");
  EXPECT_EQ(Describe(FindIn(build(R"("cpu.cores":2,"cpu.user_ns":60000000000,"cpu.system_ns":0)"))),
            "");
}

// One worker takes four times as long for each of its jobs.
TEST(Findings, NameASlowWorker) {
  std::string text = BuildText(4000, R"("jobs":2,"cpus":16)");
  int unit = 1;
  const auto add = [&](const char* worker, int64_t begin, int64_t ms) {
    text += traces::SpanText(unit, 1, 0, "llamacc", begin, ms, R"("remote":true)") +
            traces::SpanText(unit, 2, 1, "invoke", begin, ms) +
            traces::SpanText(unit, 3, 2, "worker", begin, ms,
                             std::string(R"("worker_id":")").append(worker).append("\""));
    ++unit;
  };
  for (int i = 0; i < 5; ++i) add("slow", i * 800, 800);
  for (int i = 0; i < 20; ++i) add("fast", i * 200, 200);
  // Half of the wall clock was the slow one's, and three quarters of that too much.
  const auto findings = FindIn(text);
  EXPECT_EQ(Describe(findings), "slow-worker:1500 slots:2500");
  EXPECT_EQ(findings[0].subject, "slow");
}

TEST(Findings, TellWhenNoUnitRan) {
  const auto findings = FindIn(BuildText(4000, kJobs8) + RemoteText(1, 1000, 2000, "a") +
                               RemoteText(2, 3000, 3500, "b"));
  EXPECT_EQ(findings[0].kind, "idle");
  EXPECT_EQ(findings[0].text,
            "for 62 % of the wall clock no compile ran: 1.00 s before the first, 1.00 s between, "
            "500 ms after the last");
}

TEST(Findings, KeepControlCharactersFromTheTerminal) {
  const auto findings =
      FindIn(BuildText(6000, kJobs8) + Rounds(4) + RemoteText(50, 2000, 6000, "x\\u001b[31m\\n"));
  ASSERT_FALSE(findings.empty());
  const std::string text = FormatFindings(findings);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("    1. for 67 % of the wall clock"), std::string::npos) << text;
}

TEST(Findings, AreWrittenAsJson) {
  const traces::Columns trace =
      traces::LoadText(BuildText(6000, kJobs8) + Rounds(4) + RemoteText(50, 2000, 6000, "x"),
                       {.correct_clocks = false});
  JsonWriter json;
  json.BeginObject();
  report::WriteAnalysis(json, trace, Analyse(trace));
  json.EndObject();
  const std::string& text = json.str();
  for (const char* part :
       {R"("findings":[{"kind":"slow-unit","cost_ns":4000000000,)", R"("subject":"x.c")",
        R"("totals_ns":{"slots":2000000000,)", R"("tail":4000000000)", R"("job_slots":8)",
        R"("critical_path":{"estimated":true,"before_ns":0,"units_ns":6000000000,)", R"("peak":8)",
        R"("unit":"x.c","remote":true,"weighted_ns":4000000000)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

// Times at both ends of what 64 bits hold, numbers that no clock gives, trees of the wrong shape.
TEST(Findings, ComeOfAnyTrace) {
  const std::string numbers =
      R"("queued_ns":9223372036854775807,"init_ns":9223372036854775807,"cold_start":true,)"
      R"("uploaded_bytes":9223372036854775807,"store_requests":9223372036854775807,)"
      R"("store_ns":-1,"payload_bytes":-9223372036854775808,"answer_bytes":9223372036854775807,)"
      R"("jobs":9223372036854775807,"cpus":-1,"worker_id":"w","error":"e","inputs":"\n\n//../..")";
  std::string text;
  int id = 1;
  for (const char* year : {"1678", "2026", "2260"}) {
    for (const char* name :
         {"build", "llamacc", "invoke", "worker", "materialise", "sync", "local"}) {
      for (const char* duration : {"0", "1", "31622400000000000"}) {
        text += std::string(R"({"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":")")
                    .append(trace::Hex(trace::SpanId{static_cast<uint64_t>(id)}))
                    .append(R"(","parent_id":")")
                    .append(trace::Hex(trace::SpanId{static_cast<uint64_t>(id * 7 % 63)}))
                    .append(R"(","name":")")
                    .append(name)
                    .append(R"(","start":")")
                    .append(year)
                    .append(R"(-01-01T00:00:00Z","duration":)")
                    .append(duration)
                    .append(R"(,"fields":{)")
                    .append(numbers)
                    .append("}}\n");
        ++id;
      }
    }
  }
  for (const bool correct_clocks : {false, true}) {
    const traces::Columns trace = traces::LoadText(text, {.correct_clocks = correct_clocks});
    EXPECT_EQ(trace.size(), 63u);
    const Analysis analysis = Analyse(trace);
    int64_t sum_ns = 0;
    for (const int64_t ns : analysis.bounds.total_ns) sum_ns += ns;
    EXPECT_EQ(sum_ns, analysis.units.wall_ns());
  }
  for (const std::string& some : {traces::MixedTrace(200), text.substr(0, text.size() / 2)}) {
    const traces::Columns trace = traces::LoadText(some);
    JsonWriter json;
    json.BeginObject();
    report::WriteAnalysis(json, trace, Analyse(trace));
    json.EndObject();
    EXPECT_FALSE(FormatFindings(Analyse(trace).findings).empty());
  }
}

TEST(Findings, AreNoneOfNothing) {
  EXPECT_TRUE(FindIn("").empty());
  EXPECT_TRUE(FindIn(BuildText(0, kJobs8) + RemoteText(1, 0, 0)).empty());
}

}  // namespace
}  // namespace llama::analysis
