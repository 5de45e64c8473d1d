#include "aws/http/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "signing/partition.h"

namespace llama::aws {
namespace {

bool IsHostByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == ':' || c == '[' || c == ']';
}

bool IsPort(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

}  // namespace

bool IsLoopbackHost(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost") || host == "::1" || host == "[::1]") {
    return true;
  }
  in_addr address{};
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

Result<Endpoint> ParseEndpoint(std::string_view url) {
  const auto wrong = [&](std::string_view what) {
    // Without what may be a password.
    const size_t at = url.rfind('@');
    const std::string shown(at == std::string_view::npos ? url : url.substr(at));
    return Error{Code::kInvalid, "endpoint '" + shown + "' " + std::string(what)};
  };
  Endpoint out;
  std::string_view rest = url;
  while (rest.ends_with('/')) rest.remove_suffix(1);
  out.url = rest;
  out.is_https = rest.starts_with("https://");
  if (!out.is_https && !rest.starts_with("http://")) {
    return wrong("begins with neither https:// nor http://");
  }
  rest.remove_prefix(rest.find("//") + 2);
  if (rest.find('@') != std::string_view::npos) return wrong("holds a user name");
  if (rest.find_first_of("/?#") != std::string_view::npos) {
    return wrong("has more than a host and a port");
  }
  size_t colon = rest.rfind(':');
  if (rest.starts_with('[') && colon < rest.find(']')) colon = std::string_view::npos;
  out.host = rest.substr(0, colon);
  if (out.host.empty() || !std::all_of(out.host.begin(), out.host.end(), IsHostByte)) {
    return wrong("has no host");
  }
  if (colon != std::string_view::npos && !IsPort(rest.substr(colon + 1))) {
    return wrong("has a port that is none");
  }
  out.is_loopback = IsLoopbackHost(out.host);
  return out;
}

bool IsAwsEndpoint(std::string_view url) {
  const Result<Endpoint> endpoint = ParseEndpoint(url);
  return endpoint && signing::IsAwsHost(endpoint->host);
}

// As botocore's endpoint rules have them.
AwsAddress AddressOf(std::string_view service, const std::string& region, AddressKind kind) {
  const signing::Partition& partition = signing::PartitionOf(region);
  const std::string https = "https://";
  if (kind.fips && partition.iam_fips_host.empty()) return {"", region};
  if (service == "iam") {
    const std::string_view host = kind.fips ? partition.iam_fips_host : partition.iam_host;
    return {https + std::string(host), std::string(partition.iam_region)};
  }
  const bool is_s3 = service == "s3";
  // There the usual ones are validated already.
  const bool is_usual = partition.id == "aws-us-gov" && (service == "sts" || service == "logs");
  std::string host(service);
  if (kind.fips && !is_usual) host += "-fips";
  if (is_s3 && kind.dual_stack) host += ".dualstack";
  host.append(".").append(region).append(".");
  host += kind.dual_stack && !is_s3 ? partition.dual_stack_domain : partition.domain;
  return {https + host, region};
}

}  // namespace llama::aws
