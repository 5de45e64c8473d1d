// What tools print, as builds and traces have it.
#include "base/fuzz.h"
#include "diagnostics/tool_errors.h"

namespace llama::diagnostics {

FUZZ_TARGET(text) {
  const std::string excerpt = ErrorExcerpt(text);
  CHECK(excerpt.size() <= kMaxExcerptBytes && !excerpt.ends_with('\n'));
  CHECK(excerpt.find('\x1b') == excerpt.npos && excerpt.find('\r') == excerpt.npos);
  const std::string line = WithoutEscapes(text);
  CHECK(line.size() <= text.size());
  if (const auto error = ParseToolError(line)) {
    CHECK(error->place.size() + error->message.size() <=
          line.size() + std::string_view("CMake Error").size());
  }
  if (const auto target = ParseFailedTarget(line)) CHECK(target->size() < line.size());
  if (const auto message = ParseMakeError(line)) CHECK(message->size() < line.size());
  (void)SaysUpToDate(line);
  (void)IsProgress(line);
}

}  // namespace llama::diagnostics
