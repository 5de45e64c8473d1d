#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace llama {
namespace {

// Most names are short: whatever the length, strings that differ have hashes that differ, and the
// seed decides which.
TEST(HashTest, TellsStringsOfEveryLengthApart) {
  for (const size_t size : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u, 15u, 16u, 17u, 31u, 32u, 33u, 70u}) {
    std::set<uint64_t> hashes;
    for (int byte = 0; byte < 256; ++byte) {
      std::string text(size, 'a');
      text[size / 2] = static_cast<char>(byte);
      hashes.insert(Hash(text, 0));
      hashes.insert(Hash(text, 12345));
    }
    EXPECT_EQ(hashes.size(), 512u) << size;
  }
  EXPECT_NE(Hash("a", 1), Hash("aa", 1));
  EXPECT_NE(Hash("", 1), Hash("", 2));
}

}  // namespace
}  // namespace llama
