#include "analysis/path/bounds.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "analysis/resources/transfer_model.h"
#include "analysis/units/testing.h"

namespace llama::analysis {
namespace {

constexpr int64_t kBoundMs = traces::kTestMs;

Bounds FindBoundsIn(const std::string& text) {
  // As written: these tests are not about clocks.
  const traces::Columns trace = traces::LoadText(text, {.correct_clocks = false});
  const Units units = FindUnits(trace);
  const Bounds bounds =
      FindBounds(trace, units, FindGraph(trace, units), FindJobSlots(trace, units));
  EXPECT_EQ(std::accumulate(bounds.total_ns.begin(), bounds.total_ns.end(), int64_t{0}),
            units.wall_ns());
  int64_t now_ns = units.start_ns;
  for (const BoundInterval& interval : bounds.intervals) {
    EXPECT_EQ(interval.begin_ns, now_ns);
    now_ns = interval.end_ns;
  }
  EXPECT_EQ(now_ns, units.end_ns);
  return bounds;
}

// "slots:0-1000 idle:1000-1500": milliseconds.
std::string Describe(const Bounds& bounds) {
  std::string out;
  for (const BoundInterval& interval : bounds.intervals) {
    if (!out.empty()) out += " ";
    out += std::string(BoundName(interval.bound)) + ":" +
           std::to_string((interval.begin_ns - traces::kTestStartNs) / kBoundMs) + "-" +
           std::to_string((interval.end_ns - traces::kTestStartNs) / kBoundMs);
  }
  return out;
}

constexpr char kJobs2[] = R"("jobs":2,"cpus":16)";
constexpr char kJobs9[] = R"("jobs":9,"cpus":16)";

// Cells of a build of 4,800 ms are 20 ms: what changes at multiples of that is told exactly.

//     0      1000   1400     2000      3000  3400     4000       4800
// A   |------|
// B   |-------------|                                   two slots: A and B, then C and B take both
// C          |-----------------|                        then C alone, and D starts right after it
// D                            |-------|                at 3000 nothing; E comes at 3400
// E                                          |-------|  E is the last
TEST(Bounds, TellFreeSlotsFromTakenOnes) {
  EXPECT_EQ(Describe(FindBoundsIn(BuildText(4800, kJobs2) + RemoteText(1, 0, 1000) +
                                  RemoteText(2, 0, 1400) + RemoteText(3, 1000, 2000) +
                                  RemoteText(4, 2000, 3000) + RemoteText(5, 3400, 4000))),
            "slots:0-1400 dependencies:1400-2000 make:2000-3000 idle:3000-3400 tail:3400-4000 "
            "idle:4000-4800");
}

// One after the other, two units at a time: in one folder they may need each other, and in several
// it is a make for each folder that waits for the one before.
TEST(Bounds, KnowMakesThatWaitForEachOther) {
  const auto build = [](const char* second) {
    const std::string where[] = {R"("cwd":"/a")", std::string(R"("cwd":")") + second + "\""};
    std::string text = BuildText(4000, kJobs9);
    for (int i = 0; i < 8; ++i) {
      text += RemoteText(i + 1, i / 2 * 1000, i / 2 * 1000 + 1000, "", where[i / 2 % 2]);
    }
    return Describe(FindBoundsIn(text));
  };
  EXPECT_EQ(build("/a"), "dependencies:0-3000 tail:3000-4000");
  EXPECT_EQ(build("/b"), "make:0-3000 tail:3000-4000");
}

TEST(Bounds, WithoutAFreeSlotOneUnitIsEnough) {
  EXPECT_EQ(Describe(FindBoundsIn(BuildText(2000, R"("command":"make")") + RemoteText(1, 0, 1000) +
                                  RemoteText(2, 1000, 2000))),
            "slots:0-2000");
}

// Three of four units with the same phases from 0 to 2000 ms; the fourth compiles.
std::string Units3(const std::function<std::string(int)>& phases, std::string_view build) {
  std::string text = BuildText(2000, build) + RemoteText(9, 0, 2000);
  for (int unit = 1; unit <= 3; ++unit) {
    text += traces::SpanText(unit, 1, 0, "llamacc", 0, 2000, R"("remote":true)") + phases(unit);
  }
  return text;
}

TEST(Bounds, NameWhatMostUnitsWaitFor) {
  struct Case {
    const char* bounds;
    std::function<std::string(int)> phases;
  };
  const std::vector<Case> cases = {
      {"workers:0-1900 tail:1900-2000",
       [](int u) {
         return traces::SpanText(u, 2, 1, "invoke", 0, 2000, R"("queued_ns":1900000000)") +
                traces::SpanText(u, 3, 2, "worker", 1900, 100);
       }},
      {"cold-starts:0-1900 tail:1900-2000",
       [](int u) {
         return traces::SpanText(u, 2, 1, "invoke", 0, 2000,
                                 R"("cold_start":true,"init_ns":1900000000)") +
                traces::SpanText(u, 3, 2, "worker", 1900, 100);
       }},
      // As Lambda has it: init_ns is but the last of it, and the new worker's clock is not known.
      {"cold-starts:0-1900 tail:1900-2000",
       [](int u) {
         return traces::SpanText(u, 2, 1, "invoke", 0, 2000,
                                 R"("cold_start":true,"init_ns":9000000)") +
                traces::SpanText(u, 3, 2, "worker", 900, 100);
       }},
      // 5 MB in one request: 2 s for it is the line.
      {"uplink:0-2000",
       [](int u) {
         return traces::SpanText(u, 2, 1, "sync", 0, 2000,
                                 u == 1 ? R"("uploaded_bytes":5000000,"store_requests":1)" : "");
       }},
      // 5 kB are not what took 2 s.
      {"store:0-2000",
       [](int u) {
         return traces::SpanText(u, 2, 1, "sync", 0, 2000,
                                 u == 1 ? R"("uploaded_bytes":5000,"store_requests":1)" : "");
       }},
      {"store:0-1900 tail:1900-2000",
       [](int u) {
         return traces::SpanText(u, 2, 1, "invoke", 0, 2000) +
                traces::SpanText(u, 3, 2, "worker", 0, 2000) +
                traces::SpanText(u, 4, 3, "materialise", 0, 1900) +
                traces::SpanText(u, 5, 3, "exec", 1900, 100);
       }},
      {"tail:0-100 downlink:100-2000",
       [](int u) {
         return traces::SpanText(u, 2, 1, "invoke", 0, 2000, R"("answer_bytes":5000000)") +
                traces::SpanText(u, 3, 2, "worker", 0, 100);
       }},
      {"uplink:0-1900 tail:1900-2000",
       [](int u) {
         return traces::SpanText(u, 2, 1, "invoke", 0, 2000, R"("payload_bytes":5000000)") +
                traces::SpanText(u, 3, 2, "worker", 1900, 100);
       }},
      {"cpu:0-2000", [](int u) { return traces::SpanText(u, 2, 1, "queue", 0, 2000); }},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Describe(FindBoundsIn(Units3(c.phases, kJobs9))), c.bounds) << c.phases(1);
  }
}

// An upload that was packing for most of its time is no matter of the network, but done once.
TEST(Bounds, KnowPackingFromSending) {
  const auto sync = [](const char* store_ns) {
    return [store_ns](int u) {
      return traces::SpanText(
          u, 2, 1, "sync", 0, 2000,
          u == 1
              ? std::string(R"("uploaded_bytes":5000000,"store_requests":1,"store_ns":)") + store_ns
              : "");
    };
  };
  EXPECT_EQ(Describe(FindBoundsIn(Units3(sync("1900000000"), kJobs9))), "uplink:0-2000");
  EXPECT_EQ(Describe(FindBoundsIn(Units3(sync("100000000"), kJobs9))), "fill:0-2000");
}

TEST(Bounds, LocalCpuIsWhatTheSamplesSay) {
  // Two compilers here, all of the time; of two processors 3.6 s of 4 were used, or 1 s.
  const auto build = [](const char* used) {
    return BuildText(2000, kJobs9) + LocalText(1, 0, 2000, "") + LocalText(2, 0, 2000, "") +
           traces::SpanText(
               1000, 7, 1, "machine", 0, 2000,
               std::string(R"("cpu.cores":2,"cpu.system_ns":0,"cpu.user_ns":)") + used);
  };
  EXPECT_EQ(Describe(FindBoundsIn(build("3600000000"))), "cpu:0-2000");
  EXPECT_EQ(Describe(FindBoundsIn(build("1000000000"))), "tail:0-2000");
  // Without samples: as many compilers as processors.
  const std::string units = LocalText(1, 0, 2000, "") + LocalText(2, 0, 2000, "");
  EXPECT_EQ(Describe(FindBoundsIn(BuildText(2000, R"("jobs":9,"cpus":2)") + units)), "cpu:0-2000");
  EXPECT_EQ(Describe(FindBoundsIn(BuildText(2000, R"("jobs":9,"cpus":8)") + units)), "tail:0-2000");
}

TEST(Bounds, AreIdleWithoutUnits) {
  EXPECT_EQ(Describe(FindBoundsIn(BuildText(500, ""))), "idle:0-500");
  EXPECT_TRUE(FindBoundsIn("").intervals.empty());
  EXPECT_EQ(FormatBounds(FindBoundsIn("")), "");
}

TEST(Bounds, AreShownWithTheirShares) {
  const std::string text = FormatBounds(
      FindBoundsIn(BuildText(4000, kJobs2) + RemoteText(1, 0, 1000) + RemoteText(2, 0, 1000)));
  EXPECT_EQ(text,
            "what bounded the build\n"
            "      3.00 s  75.0 %  -  idle: no unit runs\n"
            "      1.00 s  25.0 %  #  job slots: all taken, all compiling\n"
            "          |####################----------------------------------------"
            "--------------------|\n");
}

TEST(TransferModel, TellsBytesFromRequests) {
  // 20 ms a request and 1 ms for 1,000 bytes: 4 × 20 of 80 + 2,202 ms.
  const TransferModel slow_line = ModelTransfers({{1'000, 1, 21 * kBoundMs},
                                                  {1'000, 1, 21 * kBoundMs},
                                                  {100'000, 1, 120 * kBoundMs},
                                                  {2'100'000, 1, 2'120 * kBoundMs}});
  EXPECT_TRUE(slow_line.BoundByBytes());
  EXPECT_NEAR(slow_line.bytes_share, 2202.0 / 2282.0, 0.001);
  EXPECT_NEAR(slow_line.request_ns, 20e6, 1e5);
  EXPECT_EQ(slow_line.bytes, 2'202'000);
  // Two seconds each, whatever they carry.
  const TransferModel slow_store = ModelTransfers({{1'000, 1, 2'000 * kBoundMs},
                                                   {50'000, 1, 2'010 * kBoundMs},
                                                   {9'000'000, 1, 2'100 * kBoundMs}});
  EXPECT_FALSE(slow_store.BoundByBytes());
  EXPECT_GT(slow_store.request_ns, 1.9e9);
  EXPECT_FALSE(ModelTransfers({}).BoundByBytes());
  EXPECT_FALSE(ModelTransfers({{0, 1, 0}}).BoundByBytes());
  // One alone: its size decides.
  EXPECT_TRUE(ModelTransfers({{10'000'000, 1, 4'000 * kBoundMs}}).BoundByBytes());
  EXPECT_FALSE(ModelTransfers({{10'000, 1, 4'000 * kBoundMs}}).BoundByBytes());
  // Sums of hostile sizes end at the largest number.
  EXPECT_EQ(ModelTransfers({{INT64_MAX, INT64_MAX, INT64_MAX}, {INT64_MAX, 1, 1}}).bytes,
            INT64_MAX);
}

}  // namespace
}  // namespace llama::analysis
