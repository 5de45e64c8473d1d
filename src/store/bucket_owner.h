// Whose a bucket must be, as its name says it.
//
// `llama bootstrap` names buckets llama-ACCOUNT-REGION. Anybody can foretell such a name and take
// it first; and a bucket of somebody else's that lets everybody in looks, to a HEAD, like one's
// own. So each request to a bucket of such a name says the account that it must belong to, and S3
// refuses it (403) where it belongs to another.
#pragma once

#include <string_view>

namespace llama::store {

inline constexpr std::string_view kExpectedOwnerHeader = "x-amz-expected-bucket-owner";

// The account in "llama-123456789012-…"; empty: the name says none.
std::string_view OwnerInName(std::string_view bucket);

}  // namespace llama::store
