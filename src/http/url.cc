#include "http/url.h"

#include <arpa/inet.h>

#include <charconv>

namespace llama::http {
namespace {

constexpr size_t kMaxHostBytes = 253;

Error Wrong(std::string_view text, std::string_view what) {
  return Error{Code::kInvalid, std::string(text.substr(0, 200)) + ": " + std::string(what)};
}

bool IsHostByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool IsIpv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool IsHost(const std::string& host) {
  if (host.empty() || host.size() > kMaxHostBytes) return false;
  for (const char c : host) {
    if (!IsHostByte(c)) return false;
  }
  return true;
}

// "host:port", "host", "[v6]:port" into `url`.
Result<void> ParseAuthority(std::string_view text, std::string_view authority, Url& url) {
  size_t host_end = authority.find(':');
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return Wrong(text, "no ']' after the address");
    url.host = authority.substr(1, close - 1);
    if (!IsIpv6(url.host)) return Wrong(text, "not an IPv6 address in the brackets");
    host_end = close + 1;
  } else {
    url.host = authority.substr(0, host_end);
    if (!IsHost(url.host)) return Wrong(text, "not a host name");
  }
  url.port = url.tls ? 443 : 80;
  if (host_end >= authority.size()) return {};
  const std::string_view port = authority.substr(host_end + 1);
  const uint16_t usual = url.port;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (authority[host_end] != ':' || error != std::errc() || end != port.data() + port.size() ||
      url.port == 0) {
    return Wrong(text, "not a port");
  }
  url.default_port = url.port == usual;
  return {};
}

}  // namespace

std::string Url::Authority() const {
  std::string out = IsIpv6(host) ? "[" + host + "]" : host;
  if (!default_port) out += ":" + std::to_string(port);
  return out;
}

Result<Url> ParseUrl(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return Wrong(text, "neither http:// nor https://");
  }
  for (const char c : rest) {
    if (c <= ' ' || c == 0x7f) return Wrong(text, "blank or control character in it");
  }
  const size_t path = rest.find_first_of("/?#");
  if (path != std::string_view::npos && rest.find('#') != std::string_view::npos) {
    return Wrong(text, "fragment in it");
  }
  TRY(ParseAuthority(text, rest.substr(0, path), url));
  if (path != std::string_view::npos) url.path = rest.substr(path);
  return url;
}

bool IsLoopback(const std::string& host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace llama::http
