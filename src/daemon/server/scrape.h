// What a scraper says on the daemon's socket: a request of HTTP/1.x for /metrics. The first four
// bytes of one ("GET ") would be the length of a Hello of 500 MB, so the two can't be confused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llama::daemon {

// From the fourth byte on it is known whether somebody speaks HTTP.
bool IsHttp(std::string_view input);

inline constexpr size_t kMaxHttpHeadBytes = 4 << 10;

enum class Scrape {
  kIncomplete,
  kMetrics,
  kMetricsHead,  // HEAD: the answer without its body
  kNotFound,     // another path
  kMalformed,    // or longer than kMaxHttpHeadBytes
};
// A whole request's head. What follows it is of no interest: the answer is the last.
Scrape ParseScrape(std::string_view input);

// The answer to any but kIncomplete; `metrics` is the body of kMetrics. The connection is to be
// closed behind it.
std::string HttpAnswer(Scrape scrape, std::string_view metrics);

}  // namespace llama::daemon
