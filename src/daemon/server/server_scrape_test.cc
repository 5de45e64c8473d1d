// Scrapers on the daemon's socket.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "daemon/server/server_testing.h"

namespace llama::daemon {
namespace {

void Say(const Fd& fd, std::string_view text) {
  ASSERT_EQ(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

// All that comes until the other side ends.
std::string Hear(const Fd& fd) {
  std::string text;
  char buffer[4096];
  pollfd entry{fd.get(), POLLIN, 0};
  while (poll(&entry, 1, static_cast<int>(kLongMs)) > 0) {
    const ssize_t n = recv(fd.get(), buffer, sizeof buffer, 0);
    if (n <= 0) return text;
    text.append(buffer, static_cast<size_t>(n));
  }
  return text + "(and waits)";
}

TEST_F(ServerTest, GivesItsMetricsToScrapers) {
  Start();
  const Fd job = Compile("block");
  ASSERT_TRUE(pipeline_.Await("run block"));
  const Fd scraper = Connect();
  Say(scraper, "GE");  // in pieces
  Say(scraper, "T /metrics HT");
  Say(scraper, "TP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = Hear(scraper);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("\nllama_jobs_total{outcome=\"local\",reason=\"link\"} 5\n"),
            std::string::npos);
  EXPECT_NE(answer.find("\nllama_daemon_connections 2\n"), std::string::npos);
  EXPECT_NE(answer.find("\nllama_job_threads_busy 1\n"), std::string::npos);
}

// As socat does at the end of its input.
TEST_F(ServerTest, AScraperMayEndItsSideFirst) {
  Start();
  const Fd scraper = Connect();
  Say(scraper, "GET /metrics HTTP/1.0\r\n\r\n");
  ASSERT_EQ(shutdown(scraper.get(), SHUT_WR), 0);
  EXPECT_TRUE(Hear(scraper).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, OtherRequestsHaveAnAnswerToo) {
  Start();
  for (const auto& [request, status] :
       {std::pair{"GET / HTTP/1.1\r\n\r\n", "404"}, std::pair{"GET /metrics\r\n\r\n", "400"}}) {
    const Fd scraper = Connect();
    Say(scraper, request);
    EXPECT_TRUE(Hear(scraper).starts_with(std::string("HTTP/1.1 ") + status)) << request;
  }
  // What is no HTTP, and no frame either, has none.
  const Fd other = Connect();
  Say(other, "POST /metrics HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Hear(other), "");
  EXPECT_TRUE(Welcomed().valid());
}

TEST_F(ServerTest, AScraperThatNeverEndsItsRequestIsClosed) {
  options_.greeting_ms = 50;
  Start();
  const Fd scraper = Connect();
  Say(scraper, "GET /metrics HTTP/1.1\r\nX: ");
  EXPECT_EQ(Hear(scraper), "");
  const Fd endless = Connect();
  Say(endless, "GET /" + std::string(5000, 'x'));
  EXPECT_TRUE(Hear(endless).starts_with("HTTP/1.1 400")) << "as soon as it is too long";
}

TEST_F(ServerTest, BeingLookedAtKeepsNoDaemonAlive) {
  options_.idle_timeout_ms = 200;
  Start();
  const int64_t start_ns = SystemClock().MonotonicNs();
  while (true) {
    Result<Fd> scraper = session::ConnectSocket(options_.run_dir);
    if (!scraper) break;
    const std::string_view request = "GET /metrics HTTP/1.1\r\n\r\n";
    (void)!send(scraper->get(), request.data(), request.size(), MSG_NOSIGNAL);
    (void)Hear(*scraper);
    ASSERT_LT(SystemClock().MonotonicNs() - start_ns, 30'000'000'000);
  }
  EXPECT_TRUE(Join());
}

}  // namespace
}  // namespace llama::daemon
