#include "emulator/request/message.h"

#include <algorithm>

#include "emulator/request/text.h"
#include "signing/sigv4.h"

namespace llama::emulator {

const std::string* Request::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (SameIgnoringCase(key, name)) return &value;
  }
  return nullptr;
}

const std::string* Request::Query(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<std::vector<std::string>> Request::Segments() const {
  std::vector<std::string> segments;
  std::string_view rest = path;
  if (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
  while (true) {
    const size_t end = rest.find('/');
    ASSIGN_OR_RETURN(std::string segment, signing::UriDecode(rest.substr(0, end)));
    segments.push_back(std::move(segment));
    if (end == std::string_view::npos) return segments;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace llama::emulator
