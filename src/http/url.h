// Absolute URLs of services: "https://host[:port][/path]".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::http {

struct Url {
  bool tls = false;
  std::string host;  // a name or an IP address; IPv6 without its brackets
  uint16_t port = 0;
  bool default_port = true;  // of the scheme
  std::string path;          // "" or from its first '/' on, query included
  // As the Host header has it: brackets and port where needed.
  std::string Authority() const;
};

// kInvalid names the text: no scheme of http or https, user or fragment in it, a port that is none.
Result<Url> ParseUrl(std::string_view text);

// Whether `host` is this machine itself: "localhost" and names below it, 127.0.0.0/8, ::1.
bool IsLoopback(const std::string& host);

}  // namespace llama::http
