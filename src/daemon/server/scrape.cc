#include "daemon/server/scrape.h"

namespace llama::daemon {
namespace {

constexpr std::string_view kGet = "GET ";
constexpr std::string_view kHead = "HEAD ";

struct Answer {
  std::string_view status;
  std::string_view type = "text/plain; charset=utf-8";
};

Answer AnswerOf(Scrape scrape) {
  if (scrape == Scrape::kNotFound) return {"404 Not Found"};
  if (scrape == Scrape::kMalformed) return {"400 Bad Request"};
  return {"200 OK", "text/plain; version=0.0.4; charset=utf-8"};
}

std::string_view BodyOf(Scrape scrape, std::string_view metrics) {
  if (scrape == Scrape::kNotFound) return "there is /metrics\n";
  if (scrape == Scrape::kMalformed) return "not a request for /metrics\n";
  return metrics;
}

}  // namespace

bool IsHttp(std::string_view input) {
  return input.starts_with(kGet) || input.starts_with(kHead.substr(0, 4));
}

Scrape ParseScrape(std::string_view input) {
  const std::string_view head = input.substr(0, kMaxHttpHeadBytes);
  if (head.find("\r\n\r\n") == std::string_view::npos) {
    return input.size() < kMaxHttpHeadBytes ? Scrape::kIncomplete : Scrape::kMalformed;
  }
  std::string_view line = head.substr(0, head.find("\r\n"));
  const bool is_head = line.starts_with(kHead);
  if (!is_head && !line.starts_with(kGet)) return Scrape::kMalformed;
  line.remove_prefix(is_head ? kHead.size() : kGet.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || !line.substr(space + 1).starts_with("HTTP/1.")) {
    return Scrape::kMalformed;
  }
  const std::string_view target = line.substr(0, space);
  if (target.substr(0, target.find('?')) != "/metrics") return Scrape::kNotFound;
  return is_head ? Scrape::kMetricsHead : Scrape::kMetrics;
}

std::string HttpAnswer(Scrape scrape, std::string_view metrics) {
  const Answer answer = AnswerOf(scrape);
  const std::string_view body = BodyOf(scrape, metrics);
  std::string text = "HTTP/1.1 ";
  text.append(answer.status).append("\r\nContent-Type: ").append(answer.type);
  text.append("\r\nContent-Length: ").append(std::to_string(body.size()));
  text.append("\r\nConnection: close\r\n\r\n");
  if (scrape != Scrape::kMetricsHead) text.append(body);
  return text;
}

}  // namespace llama::daemon
