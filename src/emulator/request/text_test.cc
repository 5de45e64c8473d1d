#include "emulator/request/text.h"

#include <gtest/gtest.h>

namespace llama::emulator {
namespace {

TEST(Base64, GoesThereAndBack) {
  for (const std::string bytes : {"", "a", "ab", "abc", "abcd"}) {
    EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)), bytes);
  }
  EXPECT_EQ(EncodeBase64(std::string("\0\xff", 2)), "AP8=");
  for (const char* wrong : {"a", "!!!!", "AP8"}) EXPECT_FALSE(DecodeBase64(wrong)) << wrong;
}

}  // namespace
}  // namespace llama::emulator
