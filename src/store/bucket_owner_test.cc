#include "store/bucket_owner.h"

#include <gtest/gtest.h>

namespace llama::store {
namespace {

TEST(BucketOwnerTest, IsTheAccountInTheName) {
  const struct {
    const char* bucket;
    const char* owner;
  } cases[] = {
      {"llama-123456789012-eu-west-1", "123456789012"},
      {"llama-123456789012", "123456789012"},
      {"llama-1234567890123-eu-west-1", ""},
      {"llama-12345678901-eu-west-1", ""},
      {"llama-12345678901x-eu-west-1", ""},
      {"my-llama-123456789012-eu-west-1", ""},
      {"llama-", ""},
      {"", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(OwnerInName(c.bucket), c.owner) << c.bucket;
}

}  // namespace
}  // namespace llama::store
