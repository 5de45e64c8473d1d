#include "daemon/jobs/job_tally.h"

#include <gtest/gtest.h>

namespace llama::daemon {
namespace {

TEST(JobTallyTest, CountsByOutcomeAndTheReasonsWord) {
  JobTally tally;
  tally.Count("remote", "");
  tally.Count("local", "link");
  tally.Count("local", "link");
  tally.Count("local", "unknown-option:-x");
  tally.Count("local", "unknown-option:-y");
  tally.AddRemoteCpu(5, 3);
  tally.AddRemoteCpu(10, 0);
  Metrics metrics;
  tally.Fill(metrics);
  ASSERT_EQ(metrics.ended.size(), 3u);
  EXPECT_EQ(metrics.ended[0].reason, "link");
  EXPECT_EQ(metrics.ended[0].count, 2u);
  EXPECT_EQ(metrics.ended[1].reason, "unknown-option");
  EXPECT_EQ(metrics.ended[1].count, 2u);
  EXPECT_EQ(metrics.ended[2].outcome, "remote");
  EXPECT_EQ(metrics.remote_user_ns, 15);
  EXPECT_EQ(metrics.remote_system_ns, 3);
}

TEST(JobTallyTest, HasFewReasons) {
  JobTally tally;
  for (int i = 0; i < 1000; ++i) tally.Count("local", "reason-" + std::to_string(i));
  tally.Count("local", "reason-7");
  Metrics metrics;
  tally.Fill(metrics);
  EXPECT_EQ(metrics.ended.size(), JobTally::kMaxReasons + 1);
  uint64_t sum = 0;
  for (const EndedJobs& jobs : metrics.ended) {
    sum += jobs.count;
    EXPECT_EQ(jobs.count, jobs.reason == "reason-7" ? 2u : jobs.reason == "other" ? 900u : 1u);
  }
  EXPECT_EQ(sum, 1001u);
}

}  // namespace
}  // namespace llama::daemon
