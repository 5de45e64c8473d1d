#include "scan/text/timestamp.h"

#include "scan/text/characters.h"

namespace llama::scan {

bool IsTimestampPart(std::string_view text, size_t at) {
  constexpr std::string_view kWhole = "__TIMESTAMP__";
  size_t begin = at;
  size_t end = at;
  while (begin > 0 && at - begin <= kWhole.size() && IsNameCharacter(text[begin - 1])) --begin;
  while (end < text.size() && end - at <= kWhole.size() && IsNameCharacter(text[end])) ++end;
  return kWhole.find(text.substr(begin, end - begin)) != kWhole.npos;
}

bool HasTimestampPart(std::string_view text) {
  for (const std::string_view part : kTimestampParts) {
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) {
      if (IsTimestampPart(text, at)) return true;
    }
  }
  return false;
}

}  // namespace llama::scan
