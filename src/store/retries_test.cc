#include "store/retries.h"

#include <gtest/gtest.h>

namespace llama::store {
namespace {

TEST(Retries, CountWhatHappenedAtOnceOnce) {
  Retries retries;
  EXPECT_EQ(retries.ns(), 0);
  retries.Add(1, 100, 200);
  retries.Add(2, 150, 180);
  retries.Add(1, 190, 250);
  retries.Add(1, 20, 50);
  retries.Add(1, 300, 300);
  EXPECT_EQ(retries.requests(), 6u);
  EXPECT_EQ(retries.ns(), 30 + 150);
}

}  // namespace
}  // namespace llama::store
