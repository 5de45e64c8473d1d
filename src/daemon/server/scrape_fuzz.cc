// What a scraper says: every request has an answer, and one that is whole is not asked to go on.
#include <string>

#include "base/fuzz.h"
#include "base/log.h"
#include "daemon/server/scrape.h"

namespace llama::daemon {

FUZZ_TARGET(bytes) {
  const Scrape scrape = ParseScrape(bytes);
  CHECK(scrape != Scrape::kIncomplete || bytes.size() < kMaxHttpHeadBytes);
  if (scrape == Scrape::kIncomplete) return;
  CHECK(ParseScrape(std::string(bytes) + "more") == scrape);
  CHECK(HttpAnswer(scrape, "x 1\n").starts_with("HTTP/1.1 "));
}

}  // namespace llama::daemon
