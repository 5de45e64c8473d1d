#include "store/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace llama::store {
namespace {

TEST(DigestTest, MatchesPublishedVectors) {
  EXPECT_EQ(Sha256("").Hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256("abc").Hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DigestTest, PiecesGiveTheDigestOfTheWhole) {
  const std::string text(100'000, 'x');
  Sha256Stream stream;
  for (size_t i = 0; i < text.size(); i += 777)
    stream.Update(std::string_view(text).substr(i, 777));
  EXPECT_EQ(stream.Finish(), Sha256(text));
}

TEST(DigestTest, HexAndRawBytesRoundTrip) {
  const Digest digest = Sha256("abc");
  EXPECT_EQ(Digest::FromHex(digest.Hex()), digest);
  EXPECT_EQ(Digest::FromBytes(digest.view()), digest);
}

TEST(DigestTest, RefusesWhatIsNoDigest) {
  const std::string hex = Sha256("abc").Hex();
  EXPECT_FALSE(Digest::FromHex(""));
  EXPECT_FALSE(Digest::FromHex(hex.substr(1)));
  EXPECT_FALSE(Digest::FromHex(hex + "0"));
  std::string upper = hex;
  upper[0] = 'B';
  EXPECT_FALSE(Digest::FromHex(upper));
  std::string bad = hex;
  bad[63] = 'g';
  EXPECT_FALSE(Digest::FromHex(bad));
  EXPECT_FALSE(Digest::FromBytes("short"));
}

}  // namespace
}  // namespace llama::store
