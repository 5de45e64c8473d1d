// Endpoints: the URLs that services are at, AWS's own and those that settings name.
//
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::aws {

struct Endpoint {
  std::string url;  // as given, without a slash at its end
  std::string host;
  bool is_https = false;
  bool is_loopback = false;
};

// "https://host[:port]". kInvalid: another scheme, a path, a query, a user; says which. http is
// taken for any host: that it is no good idea but on loopback is for `llama doctor` to say.
Result<Endpoint> ParseEndpoint(std::string_view url);

// Whether it is one of AWS's hosts, for which a bucket has a host name of its own.
bool IsAwsEndpoint(std::string_view url);

struct AwsAddress {
  std::string url;
  std::string signing_region;  // IAM has one for all of a partition
};
// Which of a service's endpoints are meant: those of validated cryptography, those that answer over
// IPv6 as well (of IAM there is no choice but the usual one).
struct AddressKind {
  bool fips = false;
  bool dual_stack = false;
};
// Of "s3", "lambda", "sts", "iam", "logs" in a region, AWS's partitions minded (cn-…, us-gov-…).
// The url is "" where there is none of that kind.
AwsAddress AddressOf(std::string_view service, const std::string& region, AddressKind kind = {});

// 127.0.0.0/8, ::1, localhost.
bool IsLoopbackHost(std::string_view host);

}  // namespace llama::aws
