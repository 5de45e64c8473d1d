// Requests that the emulator gets: target, then headers, a line each.
#include <algorithm>

#include "base/fuzz.h"
#include "emulator/request/authority.h"
#include "emulator/request/router.h"
#include "emulator/request/text.h"

namespace llama::emulator {

FUZZ_TARGET(text) {
  if (const auto time = ParseHttpDate(std::string(text))) {
    if (*time >= 0 && *time < 253'402'300'800) CHECK(ParseHttpDate(HttpDate(*time)) == time);
  }
  Request request;
  request.method = "GET";
  request.target = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), request.target.size() + 1));
  const size_t mark = std::min(request.target.find('?'), request.target.size());
  request.path = request.target.substr(0, mark);
  if (const auto query = ParseQuery(std::string_view(request.target).substr(mark))) {
    request.query = *query;
    CHECK(query->size() <= request.target.size() + 1);
  }
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t colon = std::min(line.find(':'), line.size());
    request.headers.emplace_back(line.substr(0, colon),
                                 line.substr(std::min(colon + 1, line.size())));
  }
  (void)request.Segments().has_value();
  (void)ScopeService(request);
  (void)ServiceOf(request);
  static Authority& authority = *[] {
    static Authority made("us-east-1", SystemClock());
    made.Add(NewKeys());
    return &made;
  }();
  CHECK(!authority.Check(request, "s3").ok());
}

}  // namespace llama::emulator
