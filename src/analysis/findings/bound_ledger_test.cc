#include "analysis/findings/bound_ledger.h"

#include <gtest/gtest.h>

#include "analysis/units/testing.h"

namespace llama::analysis {
namespace {

constexpr auto kNsOfMs = static_cast<double>(traces::kTestMs);

// Two units until 1,000 ms, which take both slots; one of them until 2,000; then nothing.
TEST(BoundLedger, SharesEachBoundOutOnce) {
  const traces::Columns trace = traces::LoadText(BuildText(3000, R"("jobs":2)") +
                                                 RemoteText(1, 0, 1000) + RemoteText(2, 0, 2000));
  const Units units = FindUnits(trace);
  const Bounds bounds =
      FindBounds(trace, units, FindGraph(trace, units), FindJobSlots(trace, units));
  const WallShares shares(units);
  BoundLedger ledger(bounds, shares);
  EXPECT_EQ(ledger.Left(Bound::kSlots), 1000 * kNsOfMs);
  EXPECT_EQ(ledger.Left(Bound::kTail), 1000 * kNsOfMs);
  EXPECT_EQ(ledger.Left(Bound::kIdle), 1000 * kNsOfMs);

  BoundLedger::Times half = {};
  ledger.AddShare(units.start_ns, units.end_ns, half);
  EXPECT_NEAR(half[static_cast<size_t>(Bound::kSlots)], 500 * kNsOfMs, 2);
  EXPECT_NEAR(half[static_cast<size_t>(Bound::kTail)], 1000 * kNsOfMs, 2);
  BoundLedger::Times middle = {};
  ledger.AddTime(units.start_ns + 500 * traces::kTestMs, units.start_ns + 1500 * traces::kTestMs,
                 middle);
  EXPECT_EQ(middle[static_cast<size_t>(Bound::kSlots)], 500 * kNsOfMs);
  EXPECT_EQ(middle[static_cast<size_t>(Bound::kTail)], 500 * kNsOfMs);
  EXPECT_EQ(middle[static_cast<size_t>(Bound::kIdle)], 0);

  EXPECT_EQ(ledger.Available(middle, {Bound::kTail}), 500 * kNsOfMs);
  ledger.Take(middle, {Bound::kTail});
  EXPECT_EQ(ledger.Left(Bound::kTail), 500 * kNsOfMs);
  EXPECT_EQ(ledger.Left(Bound::kSlots), 1000 * kNsOfMs);
  // Of what is wanted a second time there is no more than is left.
  ledger.Take(half, {Bound::kTail, Bound::kSlots});
  EXPECT_EQ(ledger.Left(Bound::kTail), 0);
  EXPECT_NEAR(ledger.Left(Bound::kSlots), 500 * kNsOfMs, 2);

  const BoundLedger::Times spread = ledger.Spread(300 * kNsOfMs, {Bound::kSlots, Bound::kIdle});
  EXPECT_NEAR(spread[static_cast<size_t>(Bound::kSlots)], 100 * kNsOfMs, 2);
  EXPECT_NEAR(spread[static_cast<size_t>(Bound::kIdle)], 200 * kNsOfMs, 2);
}

}  // namespace
}  // namespace llama::analysis
