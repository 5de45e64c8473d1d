// URLs: what is read, put together again, is the same URL.
#include "base/fuzz.h"
#include "http/resolve.h"
#include "http/url.h"

namespace llama::http {

FUZZ_TARGET(text) {
  (void)ParseAddress(std::string(text), 80);
  const Result<Url> url = ParseUrl(text);
  if (!url) return;
  CHECK(url->port != 0 && !url->host.empty());
  CHECK(url->host.find_first_of("/@?# ") == std::string::npos);
  CHECK(url->path.empty() || url->path[0] == '/' || url->path[0] == '?');
  const std::string whole = (url->tls ? "https://" : "http://") + url->Authority() + url->path;
  const Result<Url> again = ParseUrl(whole);
  CHECK(again.has_value());
  CHECK(again->host == url->host && again->port == url->port && again->path == url->path);
  (void)IsLoopback(url->host);
}

}  // namespace llama::http
