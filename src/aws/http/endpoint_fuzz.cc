// Endpoints as settings name them.
#include "aws/http/endpoint.h"
#include "base/fuzz.h"

namespace llama::aws {

FUZZ_TARGET(text) {
  const Result<Endpoint> endpoint = ParseEndpoint(text);
  if (!endpoint) return;
  CHECK(!endpoint->host.empty() && !endpoint->url.ends_with('/'));
  CHECK(endpoint->host.find_first_of("/@?# \r\n") == std::string::npos);
  CHECK(text.starts_with(endpoint->url));
  const Result<Endpoint> again = ParseEndpoint(endpoint->url);
  CHECK(again.has_value() && again->host == endpoint->host && again->url == endpoint->url);
}

}  // namespace llama::aws
