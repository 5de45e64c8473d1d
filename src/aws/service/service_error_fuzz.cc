// Refusals: headers, an empty line, a body.
#include <algorithm>

#include "aws/service/service_error.h"
#include "base/fuzz.h"

namespace llama::aws {
namespace {

bool IsPrintable(const std::string& text) {
  return text.size() <= 500 && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) >= ' ' && c != 0x7f;
         });
}

HttpAnswer ReadAnswer(std::string_view text) {
  HttpAnswer answer;
  answer.status = 429;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty()) break;
    const size_t colon = std::min(line.find(':'), line.size());
    answer.headers.emplace_back(line.substr(0, colon),
                                line.substr(std::min(colon + 1, line.size())));
  }
  answer.body = text;
  return answer;
}

}  // namespace

FUZZ_TARGET(text) {
  const ServiceError error = ReadServiceError(ReadAnswer(text));
  CHECK(IsPrintable(error.code) && IsPrintable(error.message));
  if (error.retry_after_ms) CHECK(*error.retry_after_ms >= 0 && *error.retry_after_ms <= 3'600'000);
  (void)ParseHttpDate(text);
}

}  // namespace llama::aws
