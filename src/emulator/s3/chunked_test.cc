#include "emulator/s3/chunked.h"

#include <gtest/gtest.h>

#include "emulator/request/s3_error.h"

namespace llama::emulator {
namespace {

constexpr std::string_view kSigned = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
constexpr std::string_view kSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
constexpr std::string_view kUnsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

signing::Verification Seed() {
  signing::Verification seed;
  seed.claim.scope = {"us-east-1", "s3"};
  seed.claim.date = "20130524T000000Z";
  seed.claim.signature = std::string(64, 'a');
  seed.signing_key = std::string(32, 'k');
  return seed;
}

std::string Hex(size_t value) {
  std::string out;
  do {
    out.insert(out.begin(), "0123456789abcdef"[value & 15]);
  } while ((value >>= 4) != 0);
  return out;
}

// As a client sends it; `trailer` is "name:value\n" or nothing.
std::string Encode(const std::vector<std::string>& chunks, const std::string& trailer,
                   bool is_signed) {
  const signing::Verification seed = Seed();
  std::string previous = seed.claim.signature;
  std::string out;
  std::vector<std::string> all = chunks;
  all.emplace_back();
  for (const std::string& chunk : all) {
    out += Hex(chunk.size());
    if (is_signed) {
      previous = signing::ChunkSignature(seed, previous, chunk);
      out += ";chunk-signature=" + previous;
    }
    out += "\r\n" + chunk;
    if (!chunk.empty()) out += "\r\n";
  }
  if (!trailer.empty()) {
    out += trailer.substr(0, trailer.size() - 1) + "\r\n";
    if (is_signed) {
      out +=
          "x-amz-trailer-signature:" + signing::TrailerSignature(seed, previous, trailer) + "\r\n";
    }
  }
  return out + "\r\n";
}

std::string CodeOf(std::string_view scheme, const std::string& body) {
  const Result<ChunkedBody> decoded = DecodeChunked(scheme, body, Seed());
  return decoded ? "" : std::string(ViewOf(decoded.error()).code);
}

TEST(DecodeChunked, JoinsChunksOfEveryScheme) {
  const std::string trailer = "x-amz-checksum-crc32:AAAAAA==\n";
  const std::vector<std::string> chunks = {"hello ", std::string(70'000, 'x'), "\r\n0\r\n"};
  const std::string whole = chunks[0] + chunks[1] + chunks[2];
  const struct {
    std::string_view scheme;
    std::string body;
    size_t trailers;
  } cases[] = {
      {kSigned, Encode(chunks, "", true), 0},
      {kSignedTrailer, Encode(chunks, trailer, true), 1},
      {kUnsigned, Encode(chunks, trailer, false), 1},
      {kUnsigned, Encode(chunks, "", false), 0},
  };
  for (const auto& c : cases) {
    const Result<ChunkedBody> decoded = DecodeChunked(c.scheme, c.body, Seed());
    ASSERT_TRUE(decoded) << c.scheme << decoded.error().message;
    EXPECT_EQ(decoded->bytes, whole);
    ASSERT_EQ(decoded->trailers.size(), c.trailers);
    if (c.trailers > 0) {
      EXPECT_EQ(decoded->trailers[0],
                (std::pair<std::string, std::string>("x-amz-checksum-crc32", "AAAAAA==")));
    }
  }
}

TEST(DecodeChunked, TakesAnEmptyBody) {
  EXPECT_EQ(CodeOf(kSigned, Encode({}, "", true)), "");
  EXPECT_EQ(CodeOf(kUnsigned, "0\r\n\r\n"), "");
}

// A flipped bit anywhere in a signed body is found, whatever it hits.
TEST(DecodeChunked, FindsEveryChangeOfASignedBody) {
  const std::string body =
      Encode({"some bytes", "and more"}, "x-amz-checksum-crc32:AAAAAA==\n", true);
  ASSERT_EQ(CodeOf(kSignedTrailer, body), "");
  for (size_t i = 0; i + 4 < body.size(); ++i) {
    std::string changed = body;
    changed[i] = static_cast<char>(changed[i] ^ 2);
    const Result<ChunkedBody> decoded = DecodeChunked(kSignedTrailer, changed, Seed());
    // What is left is a change that means the same: none is known but spaces around a trailer.
    EXPECT_FALSE(decoded) << "at " << i << ": " << changed.substr(i, 10);
  }
}

TEST(DecodeChunked, RefusesChunksInAnotherOrderAndWithoutSignatures) {
  const std::string one = Encode({"first", "other"}, "", true);
  const std::string two = Encode({"other", "first"}, "", true);
  // The first chunk of one, then what follows in the other.
  const size_t chunk = one.find("first") + 7;
  EXPECT_EQ(CodeOf(kSigned, one.substr(0, chunk) + two.substr(chunk)), "SignatureDoesNotMatch");
  EXPECT_EQ(CodeOf(kSigned, "5\r\nfirst\r\n0\r\n\r\n"), "SignatureDoesNotMatch");
  EXPECT_EQ(
      CodeOf(kSignedTrailer, Encode({"a"}, "", true).substr(0, Encode({"a"}, "", true).size() - 2) +
                                 "x-amz-checksum-crc32:AAAAAA==\r\n\r\n"),
      "SignatureDoesNotMatch");
}

TEST(DecodeChunked, RefusesWhatIsCutOffOrMalformed) {
  const std::string body = Encode({"some bytes", "more"}, "a:b\n", false);
  for (size_t size = 0; size < body.find("0\r\n"); ++size) {
    EXPECT_EQ(CodeOf(kUnsigned, body.substr(0, size)), "IncompleteBody") << size;
  }
  const char* malformed[] = {"x\r\n",
                             "-1\r\n\r\n",
                             "5\r\nfirstXX0\r\n\r\n",
                             "ffffffffffffffff\r\n",
                             "1ffffffffffffffff\r\n",
                             "\r\n",
                             "0\r\nno colon\r\n\r\n"};
  for (const char* text : malformed) EXPECT_EQ(CodeOf(kUnsigned, text), "IncompleteBody") << text;
  EXPECT_EQ(CodeOf("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", body), "InvalidRequest");
}

}  // namespace
}  // namespace llama::emulator
