// How a request to S3 is addressed, and what its failures mean: shared by the store
// (store.h) and the bucket's own operations (bucket.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/service/service.h"
#include "base/result.h"

namespace llama::aws {

struct S3Location {
  std::string bucket;
  // "https://endpoint/bucket/key" rather than "https://bucket.endpoint/key". A bucket with a dot
  // in its name is addressed so in any case: no certificate covers it as a host.
  bool path_style = false;
};

// kInvalid for a name that no bucket has, and for directory buckets ("…--x-s3"), which want
// sessions of their own and give no conditional PUT's worth to a cache of a few large objects.
Result<void> CheckBucketName(std::string_view bucket);

using S3Query = std::vector<std::pair<std::string, std::string>>;

// A call to `key` (empty: the bucket itself); names and values are percent-encoded here. A query
// item without value is "name=". Says the owner that the bucket's name says (store/bucket_owner.h).
ServiceCall NewS3Call(const S3Location& location, std::string_view method, std::string_view key,
                      const S3Query& query = {});

// Adds Content-MD5 of `body`, which DeleteObjects and the bucket's configurations must have, and
// sets it as the call's body.
void SetCheckedBody(ServiceCall& call, std::string_view body);

// HttpDeadlines::total_ms for that many bytes: what a line of half a megabit a second needs. For
// one that stands still there is stall_ms.
int64_t TransferMs(uint64_t bytes);

// The error that an answer of 300 and above means. `action` is IAM's name ("s3:GetObject"), which
// the message of an AccessDenied must tell; `object` is "bucket" or "bucket/key".
//   404: kNotFound, but kInvalid where the bucket itself is missing
//   another region's bucket, no permission, wrong keys: kInvalid, with what to do
//   any other redirect: kInvalid, with where to; it is not followed
//   409 and 5xx: kUnavailable
Error S3Error(const ServiceAnswer& answer, std::string_view action, std::string_view object);

}  // namespace llama::aws
