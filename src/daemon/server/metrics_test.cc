#include "daemon/server/metrics.h"

#include <gtest/gtest.h>

namespace llama::daemon {
namespace {

// The lines of one metric.
std::string Of(const std::string& text, const std::string& name) {
  std::string lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with(name + " ") || line.starts_with(name + "{")) lines += line + "\n";
    if (line.starts_with("# HELP " + name + " ") || line.starts_with("# TYPE " + name + " ")) {
      lines += line + "\n";
    }
  }
  return lines;
}

TEST(MetricsTest, WritesCountersWithHelpAndType) {
  Metrics metrics;
  metrics.ended = {{"local", "link", 5}, {"remote", "", 7}};
  metrics.status.counters.cost_usd = 0.25;
  metrics.status.counters.bytes_up = 18'000'000'000'000'000'000u;
  metrics.status.workers = 5;
  metrics.status.busy_workers = 2;
  metrics.user_ns = 1'500'000'000;
  const std::string text = FormatMetrics(metrics);
  EXPECT_EQ(Of(text, "llama_jobs_total"),
            "# HELP llama_jobs_total Compiles and commands that have ended, by how and why not "
            "remotely.\n"
            "# TYPE llama_jobs_total counter\n"
            "llama_jobs_total{outcome=\"local\",reason=\"link\"} 5\n"
            "llama_jobs_total{outcome=\"remote\",reason=\"\"} 7\n");
  EXPECT_NE(text.find("\nllama_cost_usd_total 0.25\n"), std::string::npos);
  EXPECT_NE(text.find("\nllama_sent_bytes_total 18000000000000000000\n"), std::string::npos);
  EXPECT_NE(text.find("\nllama_workers{state=\"busy\"} 2\nllama_workers{state=\"idle\"} 3\n"),
            std::string::npos);
  EXPECT_NE(text.find("\nllama_daemon_cpu_seconds_total{mode=\"user\"} 1.5\n"), std::string::npos);
}

TEST(MetricsTest, EscapesValuesOfLabels) {
  Metrics metrics;
  metrics.status.backend = "a\"b\\c\nd";
  EXPECT_NE(FormatMetrics(metrics).find("cloud=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos);
}

TEST(MetricsTest, KnowsItsProcess) {
  Metrics metrics;
  FillProcess(metrics);
  EXPECT_GT(metrics.user_ns + metrics.system_ns, 0);
  EXPECT_GT(metrics.resident_bytes, 1 << 20);
}

}  // namespace
}  // namespace llama::daemon
