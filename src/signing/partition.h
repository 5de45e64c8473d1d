// AWS's partitions, by their regions: what ARNs begin with, and where hosts lie. As of botocore's
// partitions.json, which all of AWS's SDKs have.
//
// Pure functions; thread-safe.
#pragma once

#include <string_view>

namespace llama::signing {

struct Partition {
  std::string_view id;                 // "aws-us-gov", of ARNs
  std::string_view region_prefix;      // of its regions
  std::string_view domain;             // of hosts: "amazonaws.com"
  std::string_view dual_stack_domain;  // of those that answer over IPv6 as well, but for S3's
  std::string_view iam_host;           // IAM has one for all regions
  std::string_view iam_fips_host;      // "": there are no FIPS endpoints
  std::string_view iam_region;         // what requests to it are signed for
};

// Of a region; one that is not known is AWS's own.
const Partition& PartitionOf(std::string_view region);
// Whether only AWS can have its certificate.
bool IsAwsHost(std::string_view host);

}  // namespace llama::signing
