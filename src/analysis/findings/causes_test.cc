// What a build waited for is named, with the figure that was measured.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "analysis/findings/testing.h"

namespace llama::analysis {
namespace {

struct PhaseCase {
  const char* findings;
  const char* phases;  // of the invocation or the sync of each of eight units
  const char* name;
  int64_t worker_ms;  // where the worker's part begins
};

// Eight units of 1,000 ms: 900 ms of each for one thing, then 100 ms of work; two such rounds' time
// passes before with nothing but work. 900 of 3,000 ms are 30 %.
TEST(Causes, NameWhatTheUnitsWaitedFor) {
  const std::vector<PhaseCase> cases = {
      {"slots:2100 cold-starts:900", R"("cold_start":true,"init_ns":900000000)", "invoke", 900},
      {"slots:2100 workers:900", R"("queued_ns":900000000)", "invoke", 900},
      {"slots:2100 uplink:900", R"("payload_bytes":4000000)", "invoke", 900},
      {"slots:3000", "", "invoke", 0},
  };
  for (const PhaseCase& c : cases) {
    std::string text = BuildText(3000, kJobs8) + Rounds(4);
    for (int u = 101; u <= 108; ++u) {
      text += traces::SpanText(u, 1, 0, "llamacc", 2000, 1000, R"("remote":true)") +
              traces::SpanText(u, 2, 1, c.name, 2000, 1000, c.phases) +
              traces::SpanText(u, 3, 2, "worker", 2000 + c.worker_ms, 1000 - c.worker_ms);
    }
    EXPECT_EQ(Describe(FindIn(text)), c.findings);
  }
}

// What of each invocation is neither the worker's nor its line's is the way: more at once hide it.
TEST(Causes, NameTheWay) {
  const auto findings = FindIn(EightUnits(Calls("", 2900, 2960)));
  EXPECT_EQ(Describe(findings), "slots:2060 transit:940");
  EXPECT_EQ(findings[1].text,
            "for 31 % of the wall clock invocations were on their way: 940 ms each in the mean, "
            "there and back, for commands of 412 ms");
  EXPECT_NE(findings[1].advice.find("-j"), std::string::npos);
}

// Requests that failed are no queue, and what they cost is measured.
TEST(Causes, NameRequestsThatFailed) {
  const auto findings =
      FindIn(EightUnits(Calls(R"("retried_ns":900000000,"requests":3)", 2900, 3000)));
  EXPECT_EQ(Describe(findings), "slots:2100 failures:900");
  EXPECT_EQ(findings[1].text,
            "failures of the cloud cost 30 % of the wall clock: 16 requests to the function failed "
            "and had to be repeated, 0 attempts failed for good, 0 units ran here for that reason");
  EXPECT_FALSE(findings[1].is_estimate);
}

// The store's, too: uploads that were repeated are neither a slow store nor a first fill, and what
// several units saw of one upload counts once.
TEST(Causes, NameRequestsToTheStoreThatFailed) {
  const auto uploads = FindIn(EightUnits([](int u) {
    return traces::SpanText(u, 2, 1, "sync", 2000, 1000,
                            u == 101 ? R"("uploaded_bytes":2500,"store_requests":1,)"
                                       R"("retried_requests":3,"retried_ns":900000000)"
                                     : "");
  }));
  EXPECT_EQ(Describe(uploads), "failures:1000 slots:2000");
  EXPECT_EQ(uploads[0].text,
            "failures of the cloud cost 33 % of the wall clock: 3 requests to the store failed and "
            "had to be repeated, 0 attempts failed for good, 0 units ran here for that reason");
  const auto fetches = FindIn(EightUnits([](int u) {
    return traces::SpanText(u, 2, 1, "invoke", 2000, 1000) +
           traces::SpanText(u, 3, 2, "worker", 2000, 1000) +
           traces::SpanText(u, 4, 3, "materialise", 2000, 960,
                            R"("retried_requests":2,"retried_ns":900000000)") +
           traces::SpanText(u, 5, 3, "exec", 2960, 40);
  }));
  EXPECT_EQ(Describe(fetches), "slots:2040 failures:900");
  EXPECT_NE(fetches[1].text.find("16 requests to the store"), std::string::npos);
  const auto left = FindIn(EightUnits([](int u) {
    return traces::SpanText(
        u, 2, 1, "sync", 2000, 1000,
        R"("awaited_ns":1000000000,"awaited_bytes":2400,"awaited_sent_bytes":0,)"
        R"("retried_requests":4,"retried_ns":900000000)");
  }));
  EXPECT_EQ(Describe(left), "failures:1000 slots:2000");
  EXPECT_NE(left[0].text.find("4 requests to the store"), std::string::npos);
}

// Four answers at a time share a line: 8 × 500 kB in 1 s are 32 Mbit/s, however long each took.
TEST(Causes, MeasureALineThatSeveralShare) {
  const auto slow =
      FindIn(EightUnits(Calls(R"("answer_bytes":500000,"payload_bytes":900)", 2000, 2000)));
  EXPECT_EQ(Describe(slow), "downlink:1000 slots:2000");
  EXPECT_NE(slow[0].text.find("4.00 MB at 32 Mbit/s"), std::string::npos) << slow[0].text;
}

// Of two processors for 4 s, 7.6 s were used: 3 by the build, 1 by its workers, 0.6 by the daemon,
// and 3 by others; or 1.5 of these by other builds, and half of the workers' time.
TEST(Causes, NameWhoElseHadTheProcessors) {
  const auto build = [](const char* shares, const char* exec) {
    std::string text = BuildText(4000, R"("jobs":8,"cpus":2)") +
                       traces::SpanText(1000, 7, 1, "machine", 0, 4000,
                                        std::string(R"("cpu.cores":2,"cpu.user_ns":7000000000,)"
                                                    R"("cpu.system_ns":600000000,)"
                                                    R"("daemon.user_ns":400000000,)"
                                                    R"("daemon.children_ns":200000000,)") +
                                            shares);
    for (int u = 1; u <= 8; ++u) {
      text += LocalText(u, 0, 4000, R"("reason":"link")") +
              traces::SpanText(u, 9, 1, "exec", 0, 10, u == 1 ? exec : "");
    }
    return FindIn(text);
  };
  const auto programs = build(R"("cpu.build_ns":3000000000,"workers.cpu_ns":1000000000)", "");
  EXPECT_EQ(Describe(programs), "other-programs:1578 cpu:2421");
  EXPECT_EQ(programs[0].text,
            "while the build host's processors were the limit, programs that are none of the "
            "build's had 3.00 s of them, 39 % of what was used; that is 39 % of the wall clock");
  EXPECT_TRUE(programs[0].is_estimate);
  const auto builds = build(
      R"("cpu.build_ns":3000000000,"cpu.other_builds_ns":2500000000,"workers.cpu_ns":1000000000)",
      R"("user_ns":400000000,"system_ns":100000000)");
  // 2.5 and half of the workers' second; 0.5 s of other programs are below the threshold of 5 %.
  EXPECT_EQ(Describe(builds), "other-builds:1578 cpu:2157 other-programs:263");
  // Older traces don't tell.
  EXPECT_EQ(Describe(build(R"("cpu.pressure_ns":0)", "")), "cpu:4000");
}

// Answers of 60 kB that take 900 ms where requests take none: all of one size, so that sizes don't
// tell, but a latency would be there on both ways.
TEST(Causes, NameASlowDownlink) {
  const auto slow =
      FindIn(EightUnits(Calls(R"("answer_bytes":60000,"payload_bytes":9000)", 2000, 2100)));
  EXPECT_EQ(Describe(slow), "slots:2100 downlink:900");
  EXPECT_TRUE(slow[1].is_estimate);
  const auto far =
      FindIn(EightUnits(Calls(R"("answer_bytes":60000,"payload_bytes":9000)", 2440, 2560)));
  EXPECT_EQ(Describe(far), "slots:2120 transit:880");
}

TEST(Causes, NameTheFirstFill) {
  // New workers fetch 900 ms each.
  const auto workers = FindIn(EightUnits([](int u) {
    return traces::SpanText(u, 2, 1, "invoke", 2000, 1000,
                            R"("cold_start":true,"fetched_bytes":1000000)") +
           traces::SpanText(u, 3, 2, "worker", 2000, 1000) +
           traces::SpanText(u, 4, 3, "materialise", 2000, 900) +
           traces::SpanText(u, 5, 3, "exec", 2900, 100);
  }));
  EXPECT_EQ(Describe(workers), "slots:2100 fill:900");
  EXPECT_EQ(workers[1].text,
            "the first fill took 30 % of the wall clock: 0 B went to the store, and 8 new workers "
            "fetched 8.00 MB");
  // Twenty small uploads, each as quick as any: no slow store, and no figure that was not measured.
  const auto uploads = FindIn(EightUnits([](int u) {
    return traces::SpanText(u, 2, 1, "sync", 2000, 1000,
                            u == 101 ? R"("uploaded_bytes":2500,"store_requests":20)" : "");
  }));
  EXPECT_EQ(Describe(uploads), "fill:1000 slots:2000");
  EXPECT_EQ(uploads[0].text.find("150 ms"), std::string::npos);
}

// x is alone for 4 s, but what it does is to wait for a new worker.
TEST(Causes, SplitNoUnitThatWaits) {
  const std::string alone =
      BuildText(6000, kJobs8) + Rounds(4) +
      traces::SpanText(50, 1, 0, "llamacc", 2000, 4000, R"("remote":true,"source":"x.c")") +
      traces::SpanText(50, 2, 1, "invoke", 2000, 4000, R"("cold_start":true)") +
      traces::SpanText(50, 3, 2, "worker", 5900, 100);
  EXPECT_EQ(Describe(FindIn(alone)), "cold-starts:3900 slots:2000");
}

// 900 ms of cold start, then 900 of the way, of eight units at a time.
TEST(Causes, NameBothOfTwoCauses) {
  std::string text = BuildText(4000, kJobs8) + Rounds(4);
  for (int u = 101; u <= 116; ++u) {
    const bool first = u <= 108;
    const int64_t begin = first ? 2000 : 3000;
    text += traces::SpanText(u, 1, 0, "llamacc", begin, 1000, R"("remote":true)") +
            traces::SpanText(u, 2, 1, "invoke", begin, 1000, first ? R"("cold_start":true)" : "") +
            traces::SpanText(u, 3, 2, "worker", begin + 900, first ? 100 : 60);
  }
  EXPECT_EQ(Describe(FindIn(text)), "slots:2160 transit:940 cold-starts:900");
}

// Two of its compiles were cancelled: they ran nowhere, and no cloud failed them.
TEST(Causes, SayThatABuildWasInterrupted) {
  const auto cancelled = [](int u) {
    return traces::SpanText(u, 1, 0, "llamacc", 2000, 1000,
                            R"("remote":false,"reason":"cancelled")") +
           traces::SpanText(u, 2, 1, "invoke", 2000, 1000, R"("error":"cancelled")");
  };
  const auto findings = FindIn(BuildText(3000, R"("jobs":8,"cpus":16,"interrupted":true)") +
                               Rounds(4) + cancelled(101) + cancelled(102));
  EXPECT_EQ(Describe(findings), "interrupted:1000 slots:2000");
  EXPECT_EQ(findings[0].text,
            "the build was interrupted after 3.00 s; 2 compiles that were under way ended nowhere");
}

TEST(Causes, TellASlowLineFromASlowStore) {
  const auto build = [](const char* upload) {
    std::string text = BuildText(3000, kJobs8) + Rounds(4);
    for (int u = 101; u <= 108; ++u) {
      text += traces::SpanText(u, 1, 0, "llamacc", 2000, 1000, R"("remote":true)") +
              traces::SpanText(u, 2, 1, "sync", 2000, 1000, u == 101 ? upload : "");
    }
    return text;
  };
  const auto line = FindIn(build(R"("uploaded_bytes":2500000,"store_requests":1)"));
  EXPECT_EQ(Describe(line), "uplink:1000 slots:2000");
  EXPECT_EQ(line[0].text,
            "uploads were bound by 20 Mbit/s for 33 % of the wall clock: 2.50 MB in 1 request");
  const auto store = FindIn(build(R"("uploaded_bytes":2500,"store_requests":1)"));
  EXPECT_EQ(Describe(store), "store:1000 slots:2000");
  EXPECT_EQ(store[0].text,
            "the store was slow for 33 % of the wall clock: 1 upload of 2.50 kB took 1.00 s");
}

// What nobody waits for to its end bounds the build all the same, though no unit fails and all run
// here: by what has arrived of it so far it is the line, or the store.
TEST(Causes, NameAnUploadThatUnitsDidNotWaitFor) {
  const auto build = [](const char* sent, const std::string& more = "") {
    std::string text = BuildText(3000, kJobs8) + Rounds(4) + more;
    for (int u = 101; u <= 108; ++u) {
      text += traces::SpanText(u, 1, 0, "llamacc", 2000, 1000,
                               R"("remote":false,"reason":"slow-upload")") +
              traces::SpanText(u, 2, 1, "sync", 2000, 800,
                               std::string(R"("awaited_ns":800000000,"awaited_bytes":24000000,)") +
                                   R"("awaited_sent_bytes":)" + sent) +
              traces::SpanText(u, 3, 1, "local", 2800, 200);
    }
    return FindIn(text);
  };
  const auto line = build("800000");
  EXPECT_EQ(Describe(line), "uplink:1000 slots:2000");
  EXPECT_FALSE(line[0].is_estimate);
  EXPECT_EQ(line[0].text,
            "uploads were bound by 8.0 Mbit/s for 33 % of the wall clock: 800 kB in 1 request; 8 "
            "units ran here rather than wait for it");
  // Buffers had taken 3 MB at once: one that saw it 2 s later knows what the line delivers.
  const std::string later =
      traces::SpanText(109, 1, 0, "llamacc", 2999, 1, R"("remote":false,"reason":"slow-upload")") +
      traces::SpanText(109, 2, 1, "sync", 2999, 1,
                       R"("awaited_ns":2800000000,"awaited_bytes":24000000,)"
                       R"("awaited_sent_bytes":5800000)");
  EXPECT_NE(build("3800000", later)[0].text.find("bound by 8.0 Mbit/s"), std::string::npos);
  const auto store = build("24000000");
  EXPECT_EQ(Describe(store), "store:1000 slots:2000");
  EXPECT_EQ(store[0].text,
            "the store was slow for 33 % of the wall clock: 1 upload of 24.0 MB took 800 ms so "
            "far; 8 units ran here rather than wait for it");
}

}  // namespace
}  // namespace llama::analysis
