#include "daemon/server/slots.h"

#include <gtest/gtest.h>

namespace llama::daemon {
namespace {

constexpr int64_t kPatienceNs = 1000;

TEST(Slots, AreGrantedInTheOrderOfRequests) {
  Slots slots(2, kPatienceNs);
  for (const Slots::Id id : {5u, 3u, 9u, 1u}) slots.Request(id, 0);
  EXPECT_EQ(slots.Grant(0), 5u);
  EXPECT_EQ(slots.Grant(0), 3u);
  EXPECT_EQ(slots.Grant(0), std::nullopt);
  EXPECT_EQ(slots.held(), 2u);
  EXPECT_EQ(slots.waiting(), 2u);
  slots.Release(3, 1);
  EXPECT_EQ(slots.Grant(1), 9u);
  EXPECT_EQ(slots.Grant(1), std::nullopt);
}

TEST(Slots, WhoGivesUpLeavesTheQueue) {
  Slots slots(1, kPatienceNs);
  for (const Slots::Id id : {1u, 2u, 3u}) slots.Request(id, 0);
  EXPECT_EQ(slots.Grant(0), 1u);
  slots.Release(2, 0);
  EXPECT_EQ(slots.waiting(), 1u);
  slots.Release(1, 0);
  EXPECT_EQ(slots.Grant(0), 3u);
}

TEST(Slots, ReleasingAStrangerChangesNothing) {
  Slots slots(1, kPatienceNs);
  slots.Request(1, 0);
  EXPECT_EQ(slots.Grant(0), 1u);
  slots.Release(7, 0);
  slots.Request(2, 0);
  EXPECT_EQ(slots.Grant(0), std::nullopt);
}

TEST(Slots, OneMoreIsGrantedWhenNothingMoves) {
  Slots slots(1, kPatienceNs);
  slots.Request(1, 0);
  EXPECT_EQ(slots.Grant(0), 1u);
  slots.Request(2, 5000);
  slots.Request(3, 5000);
  EXPECT_EQ(slots.Grant(5000 + kPatienceNs - 1), std::nullopt);
  EXPECT_EQ(slots.Grant(5000 + kPatienceNs), 2u);
  // And the next only after as long again.
  EXPECT_EQ(slots.Grant(5000 + kPatienceNs), std::nullopt);
  EXPECT_EQ(slots.Grant(5000 + 2 * kPatienceNs), 3u);
  // Back to the capacity.
  slots.Request(4, 9000);
  slots.Release(1, 9000);
  slots.Release(2, 9000);
  EXPECT_EQ(slots.Grant(9000), std::nullopt);
  slots.Release(3, 9000);
  EXPECT_EQ(slots.Grant(9000), 4u);
}

}  // namespace
}  // namespace llama::daemon
