// Host names to addresses, in a program without NSS: a static one must not load its plug-ins, and
// where it runs there may be none. IP literals, "localhost", /etc/hosts, then DNS (A and AAAA) by
// the name servers of /etc/resolv.conf. Blocks for at most about ten seconds.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace llama::http {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// "192.0.2.1" or "2001:db8::1", without brackets; nothing: no literal.
std::optional<Address> ParseAddress(const std::string& literal, uint16_t port);

// Where names are looked up; a test has its own.
struct ResolverOptions {
  std::string hosts_file = "/etc/hosts";
  std::optional<sockaddr_in> name_server;  // instead of those of /etc/resolv.conf
};

// In the order to be tried: IPv4 before IPv6 (Lambda has no route for the latter by default).
// kNotFound: no such name; kUnavailable: no name server answers.
Result<std::vector<Address>> Resolve(const std::string& host, uint16_t port,
                                     const ResolverOptions& options = {});

}  // namespace llama::http
