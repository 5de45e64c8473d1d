// Clocks of workers, by traces made by hand. Times of worker spans are by the worker's clock.
#include "traces/load/skew.h"

#include <gtest/gtest.h>

#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::traces {
namespace {

// A call from `a` to `b`, in which the worker says that it ran from `c` to `d`, and its `exec` too.
std::string Call(int trace, std::string_view worker_id, int64_t a, int64_t b, int64_t c, int64_t d,
                 std::string_view more = "") {
  const std::string id =
      worker_id.empty() ? "" : std::string(R"("worker_id":")").append(worker_id) + '"';
  return SpanText(trace, 1, 0, "invoke", a, b - a, more) +
         SpanText(trace, 2, 1, "worker", c, d - c, id) + SpanText(trace, 3, 2, "exec", c, d - c);
}

int64_t StartMs(const Columns& c, Row row) { return (c.start_ns()[row] - kTestStartNs) / kTestMs; }

// The truth is +100: the calls allow 95–105 and 98–110, together 98–105.
TEST(SkewTest, OffsetIsWhereTheBoundsOfAllCallsMeet) {
  const Columns c =
      LoadText(Call(1, "w", 1000, 1100, 905, 995) + Call(2, "w", 2000, 2100, 1902, 1990) +
               Call(3, "v", 3000, 3100, 3050, 3143));
  ASSERT_EQ(c.worker_clocks().size(), 2u);
  const WorkerClock& clock = c.worker_clocks()[0];
  EXPECT_EQ(c.text(clock.worker_id), "w");
  EXPECT_EQ(clock.calls, 2u);
  EXPECT_TRUE(clock.consistent);
  EXPECT_EQ(clock.offset_ns, 101'500'000);
  EXPECT_EQ(clock.uncertainty_ns, 3'500'000);
  EXPECT_EQ(c.worker_clocks()[1].offset_ns, -46'500'000);
  EXPECT_EQ(c.start_ns()[1], kTestStartNs + 905 * kTestMs + 101'500'000);
  EXPECT_EQ(c.start_ns()[2], c.start_ns()[1]);
  EXPECT_EQ(c.raw_start_ns(1), kTestStartNs + 905 * kTestMs);
  EXPECT_EQ(c.raw_start_ns(0), c.start_ns()[0]);
  EXPECT_EQ(c.duration_ns()[1], 90 * kTestMs);
}

// The clocks are equal, and one call was 2 s on its way there: bounds of −2,000 to 5, of 0 to 5,
// and of −5 to 0. The last allows 1 to 9.
TEST(SkewTest, AClockThatMayBeRightIsRight) {
  const Columns c = LoadText(Call(1, "a", 0, 2100, 2000, 2095) + Call(2, "b", 0, 100, 0, 95) +
                             Call(3, "c", 0, 100, 5, 100) + Call(4, "d", 0, 100, -1, 91));
  EXPECT_EQ(c.worker_clocks()[0].offset_ns, 0);
  EXPECT_EQ(c.worker_clocks()[0].uncertainty_ns, 2000 * kTestMs);
  EXPECT_EQ(c.worker_clocks()[1].offset_ns, 0);
  EXPECT_EQ(c.worker_clocks()[2].offset_ns, 0);
  EXPECT_EQ(StartMs(c, 1), 2000);
  EXPECT_EQ(c.worker_clocks()[3].offset_ns, 5 * kTestMs);
}

// The one that took 500 ms to start had them before its span: its bounds are −1,400 to −900, and
// what is usual is a width of 10.
TEST(SkewTest, OfAWideIntervalTheWayBackCounts) {
  const Columns c = LoadText(Call(1, "a", 0, 100, 5, 95) + Call(2, "b", 0, 100, 5, 95) +
                             Call(3, "c", 0, 600, 1400, 1500));
  EXPECT_EQ(c.worker_clocks()[2].offset_ns, -905 * kTestMs);
  EXPECT_EQ(c.worker_clocks()[2].uncertainty_ns, 495 * kTestMs);
}

TEST(SkewTest, WaitingForAWorkerIsNotTheWorkers) {
  const Columns c =
      LoadText(Call(1, "w", 0, 1000, 0, 90, R"("function":"lambda:x","queued_ns":900000000)"));
  EXPECT_EQ(c.worker_clocks()[0].offset_ns, 905 * kTestMs);
  EXPECT_EQ(c.worker_clocks()[0].uncertainty_ns, 5 * kTestMs);
}

TEST(SkewTest, WorkersHereHaveOurClock) {
  const Columns c = LoadText(Call(1, "w", 0, 1000, 300, 600, R"("function":"local")"));
  EXPECT_TRUE(c.worker_clocks().empty());
  EXPECT_EQ(StartMs(c, 1), 300);
}

// The clock was set between the calls: 100–110, then 500–510. Each fits where it can.
TEST(SkewTest, ClockThatJumpedFitsEachCall) {
  const Columns c =
      LoadText(Call(1, "w", 1000, 1100, 900, 990) + Call(2, "w", 2000, 2100, 1500, 1590));
  ASSERT_EQ(c.worker_clocks().size(), 1u);
  EXPECT_FALSE(c.worker_clocks()[0].consistent);
  EXPECT_EQ(c.worker_clocks()[0].offset_ns, 305 * kTestMs);
  EXPECT_EQ(StartMs(c, 1), 900 + 110);
  EXPECT_EQ(StartMs(c, 4), 1500 + 500);
}

TEST(SkewTest, CallsOfUnknownWorkersStandEachForItself) {
  const Columns c = LoadText(Call(1, "", 1000, 1100, 905, 995) + Call(2, "", 2000, 2100, 5, 95));
  ASSERT_EQ(c.worker_clocks().size(), 1u);
  EXPECT_EQ(c.worker_clocks()[0].calls, 2u);
  EXPECT_EQ(StartMs(c, 1), 1005);
  EXPECT_EQ(StartMs(c, 4), 2005);
}

// What the worker says it took is longer than the call: nothing fits, and nothing is cut off.
TEST(SkewTest, LongerThanItsCallStaysAsLong) {
  const Columns c = LoadText(Call(1, "w", 1000, 1100, 0, 200));
  EXPECT_EQ(c.duration_ns()[1], 200 * kTestMs);
  EXPECT_EQ(StartMs(c, 1), 950);
  EXPECT_FALSE(c.worker_clocks()[0].consistent);
}

TEST(SkewTest, TheOriginalsWorkersAreCorrectedToo) {
  const Columns c = LoadText(SpanText(1, 1, 0, "Invoke", 1000, 100) +
                             SpanText(1, 2, 1, "runtime.Execute", 5, 90));
  EXPECT_EQ(StartMs(c, 1), 1005);
}

TEST(SkewTest, MayBeLeftOut) {
  LoadOptions options;
  options.correct_clocks = false;
  const Columns c = LoadText(Call(1, "w", 1000, 1100, 905, 995), options);
  EXPECT_EQ(StartMs(c, 1), 905);
  EXPECT_TRUE(c.worker_clocks().empty());
}

// Times at both ends of what there is: their difference is more than 64 bits hold.
TEST(SkewTest, NonsenseIsLeftAsItIs) {
  const auto line = [](int span, int parent, const char* name, const char* start) {
    return std::string(
               R"({"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"000000000000000)")
        .append(std::to_string(span))
        .append(R"(","parent_id":"000000000000000)")
        .append(std::to_string(parent))
        .append(R"(","name":")")
        .append(name)
        .append(R"(","start":")")
        .append(start)
        .append("\",\"duration\":1}\n");
  };
  const Columns c = LoadText(line(1, 9, "invoke", "1677-09-21T00:12:44Z") +
                             line(2, 1, "worker", "2262-04-11T23:47:16Z"));
  ASSERT_EQ(c.size(), 2u);
  EXPECT_EQ(c.raw_start_ns(1), c.start_ns()[1]);
}

// Two hundred workers, a few calls each, clocks up to 30 ms off, the way there and back 1 ms and
// what comes upon it.
TEST(SkewTest, ErrorsAreSmallAndChildrenInside) {
  std::string text;
  uint64_t random = 1;
  const auto next = [&](int64_t below) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((random >> 33) % static_cast<uint64_t>(below));
  };
  std::vector<int64_t> truth_us;
  const auto add = [&](int trace, int span, int parent, const char* name, int64_t start_us,
                       int64_t us, std::string_view fields) {
    trace::Span row{{9, static_cast<uint64_t>(trace)},
                    static_cast<uint64_t>(span),
                    static_cast<uint64_t>(parent),
                    name,
                    kTestStartNs + start_us * 1000,
                    us * 1000,
                    {}};
    if (!fields.empty()) row.Set("worker_id", fields);
    trace::AppendJsonLine(text, row);
  };
  for (int worker = 0; worker < 200; ++worker) {
    truth_us.push_back(next(60'001) - 30'000);
    for (int call = 0; call < 10; ++call) {
      const int trace = worker * 100 + call + 1;
      const int64_t start_us = next(1'000'000'000);
      const int64_t ran_us = 1000 + next(2'000'000);
      const int64_t there_us = 1000 + next(4000);
      const int64_t back_us = 1000 + next(4000);
      add(trace, 1, 0, "invoke", start_us, there_us + ran_us + back_us, "");
      add(trace, 2, 1, "worker", start_us + there_us - truth_us.back(), ran_us,
          "w" + std::to_string(worker));
    }
  }
  const Columns c = LoadText(text);
  ASSERT_EQ(c.worker_clocks().size(), 200u);
  int64_t sum_us = 0;
  for (const WorkerClock& clock : c.worker_clocks()) {
    const int64_t truth = truth_us[std::stoul(std::string(c.text(clock.worker_id).substr(1)))];
    const int64_t error_us = std::abs(clock.offset_ns / 1000 - truth);
    EXPECT_LE(error_us, 2000);
    EXPECT_LE(error_us * 1000, clock.uncertainty_ns + 1000);
    sum_us += error_us;
  }
  EXPECT_LE(sum_us / 200, 700);
  for (Row row = 0; row < c.size(); ++row) {
    const Row parent = c.parent()[row];
    if (parent == kNoRow) continue;
    EXPECT_GE(c.start_ns()[row], c.start_ns()[parent]);
    EXPECT_LE(c.end_ns(row), c.end_ns(parent));
  }
}

}  // namespace
}  // namespace llama::traces
