#include "signing/partition.h"

#include <algorithm>
#include <array>

namespace llama::signing {
namespace {

constexpr auto kPartitions = std::to_array<Partition>({
    {"aws", "", "amazonaws.com", "api.aws", "iam.amazonaws.com", "iam-fips.amazonaws.com",
     "us-east-1"},
    {"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn",
     "iam.cn-north-1.amazonaws.com.cn", "", "cn-north-1"},
    {"aws-us-gov", "us-gov-", "amazonaws.com", "api.aws", "iam.us-gov.amazonaws.com",
     "iam.us-gov.amazonaws.com", "us-gov-west-1"},
    {"aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu",
     "iam.eusc-de-east-1.amazonaws.eu", "iam-fips.amazonaws.eu", "eusc-de-east-1"},
    {"aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov", "iam.us-iso-east-1.c2s.ic.gov",
     "iam-fips.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud", "iam.us-isob-east-1.sc2s.sgov.gov",
     "iam-fips.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
    {"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk",
     "iam.eu-isoe-west-1.cloud.adc-e.uk", "iam-fips.cloud.adc-e.uk", "eu-isoe-west-1"},
    {"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov",
     "iam.us-isof-south-1.csp.hci.ic.gov", "iam-fips.csp.hci.ic.gov", "us-isof-south-1"},
});

bool IsBelow(std::string_view host, std::string_view domain) {
  return host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

}  // namespace

const Partition& PartitionOf(std::string_view region) {
  const auto* const found = std::find_if(
      kPartitions.begin() + 1, kPartitions.end(),
      [&](const Partition& partition) { return region.starts_with(partition.region_prefix); });
  return found == kPartitions.end() ? kPartitions[0] : *found;
}

bool IsAwsHost(std::string_view host) {
  return std::any_of(kPartitions.begin(), kPartitions.end(), [&](const Partition& partition) {
    return IsBelow(host, partition.domain) || IsBelow(host, partition.dual_stack_domain);
  });
}

}  // namespace llama::signing
