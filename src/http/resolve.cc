#include "http/resolve.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/file.h"

namespace llama::http {
namespace {

constexpr int kAnswerBytes = 4096;
constexpr size_t kMaxAddresses = 16;
constexpr uint64_t kMaxHostsBytes = 1 << 20;
// Of one query to one server; glibc's own five seconds would outlast a job.
constexpr int kTimeoutS = 2;
constexpr int kTries = 2;

Address MakeAddress(int family, const void* bytes, uint16_t port) {
  Address address;
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, bytes, sizeof v4.sin_addr);
    std::memcpy(&address.storage, &v4, sizeof v4);
    address.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, bytes, sizeof v6.sin6_addr);
    std::memcpy(&address.storage, &v6, sizeof v6);
    address.size = sizeof v6;
  }
  return address;
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// The addresses of the lines of a hosts file that have the name.
std::vector<Address> FromHosts(const std::string& file, const std::string& host, uint16_t port) {
  std::vector<Address> found;
  const Result<std::string> text = ReadFile(file, kMaxHostsBytes);
  if (!text) return found;
  std::string_view rest = *text;
  while (!rest.empty() && found.size() < kMaxAddresses) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    line = line.substr(0, line.find('#'));
    std::string literal;
    bool named = false;
    while (true) {
      const size_t start = line.find_first_not_of(" \t\r");
      if (start == std::string_view::npos) break;
      line.remove_prefix(start);
      const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
      line.remove_prefix(word.size());
      if (literal.empty()) {
        literal = word;
      } else if (SameName(word, host)) {
        named = true;
      }
    }
    if (!named) continue;
    if (std::optional<Address> address = ParseAddress(literal, port)) found.push_back(*address);
  }
  return found;
}

// One resolver of glibc's, which knows resolv.conf, retries, and TCP for long answers.
class Dns {
 public:
  Dns() { ready_ = res_ninit(&state_) == 0; }
  ~Dns() {
    if (ready_) res_nclose(&state_);
  }
  Dns(const Dns&) = delete;
  Dns& operator=(const Dns&) = delete;

  void Use(const std::optional<sockaddr_in>& name_server) {
    state_.retrans = kTimeoutS;
    state_.retry = kTries;
    if (!name_server) return;
    state_.nscount = 1;
    state_.nsaddr_list[0] = *name_server;
  }

  // Appends; an answer without addresses, or none that a query can get, changes nothing.
  Result<void> Query(const std::string& host, ns_type type, uint16_t port,
                     std::vector<Address>& found) {
    if (!ready_) return Error{Code::kUnavailable, host + ": no resolver"};
    std::array<unsigned char, kAnswerBytes> answer{};
    const int size = res_nsearch(&state_, host.c_str(), ns_c_in, type, answer.data(), kAnswerBytes);
    if (size >= 0) {
      Collect({answer.data(), static_cast<size_t>(std::min(size, kAnswerBytes))}, type, port,
              found);
      return {};
    }
    if (state_.res_h_errno == HOST_NOT_FOUND || state_.res_h_errno == NO_DATA) return {};
    return Error{Code::kUnavailable, host + ": no name server answers"};
  }

 private:
  static void Collect(std::basic_string_view<unsigned char> answer, ns_type type, uint16_t port,
                      std::vector<Address>& found) {
    ns_msg message;
    if (ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0) return;
    const size_t address_bytes = type == ns_t_a ? 4 : 16;
    for (int i = 0; i < ns_msg_count(message, ns_s_an) && found.size() < kMaxAddresses; ++i) {
      ns_rr record;
      if (ns_parserr(&message, ns_s_an, i, &record) != 0) return;
      if (ns_rr_type(record) != type || ns_rr_rdlen(record) != address_bytes) continue;
      found.push_back(MakeAddress(type == ns_t_a ? AF_INET : AF_INET6, ns_rr_rdata(record), port));
    }
  }

  struct __res_state state_ {};
  bool ready_ = false;
};

}  // namespace

std::optional<Address> ParseAddress(const std::string& literal, uint16_t port) {
  std::array<unsigned char, 16> bytes{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, literal.c_str(), bytes.data()) == 1) {
      return MakeAddress(family, bytes.data(), port);
    }
  }
  return std::nullopt;
}

Result<std::vector<Address>> Resolve(const std::string& host, uint16_t port,
                                     const ResolverOptions& options) {
  if (std::optional<Address> address = ParseAddress(host, port)) {
    return std::vector<Address>{*address};
  }
  // RFC 6761: no resolver may send these elsewhere.
  if (SameName(host, "localhost") ||
      (host.size() > 10 &&
       SameName(std::string_view(host).substr(host.size() - 10), ".localhost"))) {
    return std::vector<Address>{*ParseAddress("127.0.0.1", port), *ParseAddress("::1", port)};
  }
  std::vector<Address> found = FromHosts(options.hosts_file, host, port);
  if (!found.empty()) return found;
  Dns dns;
  dns.Use(options.name_server);
  TRY(dns.Query(host, ns_t_a, port, found));
  const Result<void> v6 = dns.Query(host, ns_t_aaaa, port, found);
  if (!found.empty()) return found;
  if (!v6) return v6.error();
  return Error{Code::kNotFound, host + ": no such host"};
}

}  // namespace llama::http
