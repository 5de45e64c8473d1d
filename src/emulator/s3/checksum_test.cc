#include "emulator/s3/checksum.h"

#include <gtest/gtest.h>

#include "emulator/request/s3_error.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

// The check values of the catalogue of parametrised CRC algorithms, of "123456789".
TEST(Checksum, GivesThePublishedValues) {
  const std::pair<const char*, const char*> cases[] = {
      {"x-amz-checksum-crc32", "cbf43926"},
      {"x-amz-checksum-crc32c", "e3069283"},
      {"x-amz-checksum-crc64nvme", "ae8b14860a799888"},
      {"x-amz-checksum-sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"},
      {"x-amz-checksum-sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"},
  };
  for (const auto& [name, hex] : cases) {
    std::string raw;
    for (size_t i = 0; hex[i] != '\0'; i += 2) {
      raw += static_cast<char>(std::stoi(std::string(hex + i, 2), nullptr, 16));
    }
    EXPECT_EQ(Checksum(name, "123456789"), EncodeBase64(raw)) << name;
    EXPECT_TRUE(IsChecksumHeader(name));
  }
  EXPECT_EQ(Checksum("x-amz-checksum-crc7", "x"), "");
  EXPECT_FALSE(IsChecksumHeader("x-amz-checksum-algorithm"));
  EXPECT_FALSE(IsChecksumHeader("x-amz-checksum"));
}

TEST(VerifyChecksums, FindsEveryKindOfWrongOne) {
  const std::string body = "hello";
  const struct {
    Pairs headers;
    const char* code;
  } cases[] = {
      {{}, ""},
      {{{"Content-MD5", EncodeBase64(Md5(body))}}, ""},
      {{{"content-md5", EncodeBase64(Md5("other"))}}, "BadDigest"},
      {{{"Content-MD5", "rubbish"}}, "InvalidDigest"},
      {{{"X-Amz-Checksum-Crc32", Checksum("x-amz-checksum-crc32", body)}}, ""},
      {{{"x-amz-checksum-crc32", Checksum("x-amz-checksum-crc32", "other")}}, "BadDigest"},
      {{{"x-amz-checksum-sha256", ""}}, "BadDigest"},
      {{{"x-amz-checksum-algorithm", "CRC32"}}, ""},
  };
  for (const auto& c : cases) {
    const Result<Pairs> verified = VerifyChecksums(c.headers, body);
    EXPECT_EQ(verified ? "" : std::string(ViewOf(verified.error()).code), c.code);
  }
}

}  // namespace
}  // namespace llama::emulator
