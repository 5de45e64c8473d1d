#include "daemon/server/scrape.h"

#include <gtest/gtest.h>

namespace llama::daemon {
namespace {

TEST(ScrapeTest, KnowsHttpByItsFirstBytes) {
  EXPECT_TRUE(IsHttp("GET /metrics HTTP/1.1\r\n"));
  EXPECT_TRUE(IsHttp("HEAD"));
  EXPECT_FALSE(IsHttp("GET"));  // may be the length of a Hello yet
  EXPECT_FALSE(IsHttp(std::string_view("\x10\0\0\0\x01", 5)));
  EXPECT_FALSE(IsHttp("POST /metrics HTTP/1.1\r\n"));
}

TEST(ScrapeTest, ReadsRequests) {
  struct Case {
    std::string request;
    Scrape scrape;
  };
  const Case cases[] = {
      {"GET /metrics HTTP/1.1\r\n\r\n", Scrape::kMetrics},
      {"GET /metrics HTTP/1.0\r\nHost: x\r\nAccept: */*\r\n\r\n", Scrape::kMetrics},
      {"GET /metrics?collect[]=all HTTP/1.1\r\n\r\nGET / HTTP/1.1", Scrape::kMetrics},
      {"HEAD /metrics HTTP/1.1\r\n\r\n", Scrape::kMetricsHead},
      {"GET /metrics HTTP/1.1\r\n", Scrape::kIncomplete},
      {"GET ", Scrape::kIncomplete},
      {"GET / HTTP/1.1\r\n\r\n", Scrape::kNotFound},
      {"GET /metricsx HTTP/1.1\r\n\r\n", Scrape::kNotFound},
      {"GET  HTTP/1.1\r\n\r\n", Scrape::kNotFound},
      {"GET /metrics\r\n\r\n", Scrape::kMalformed},
      {"GET /metrics HTTP/2\r\n\r\n", Scrape::kMalformed},
      {"HEADX /metrics HTTP/1.1\r\n\r\n", Scrape::kMalformed},
      {"GET /" + std::string(kMaxHttpHeadBytes, 'x'), Scrape::kMalformed},
  };
  for (const Case& c : cases) EXPECT_EQ(ParseScrape(c.request), c.scrape) << c.request;
}

TEST(ScrapeTest, AnswersWithLengthAndType) {
  EXPECT_EQ(HttpAnswer(Scrape::kMetrics, "x 1\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: 4\r\nConnection: close\r\n\r\nx 1\n");
  EXPECT_EQ(HttpAnswer(Scrape::kMetricsHead, "x 1\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: 4\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(HttpAnswer(Scrape::kNotFound, "x 1\n").starts_with("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(HttpAnswer(Scrape::kMalformed, "x 1\n").starts_with("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_EQ(HttpAnswer(Scrape::kNotFound, "x 1\n").find("x 1"), std::string::npos);
}

}  // namespace
}  // namespace llama::daemon
