#include "emulator/s3/checksum.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/log.h"
#include "emulator/request/s3_error.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

// Reflected polynomials.
constexpr uint64_t kCrc32 = 0xedb88320;
constexpr uint64_t kCrc32c = 0x82f63b78;
constexpr uint64_t kCrc64Nvme = 0x9a6c9329ac4bc9b5;

using Table = std::array<uint64_t, 256>;

constexpr Table MakeTable(uint64_t polynomial) {
  Table table{};
  for (uint64_t i = 0; i < 256; ++i) {
    uint64_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    table[i] = crc;
  }
  return table;
}

template <uint64_t polynomial>
std::string Crc(std::string_view bytes, int width) {
  static constexpr Table kTable = MakeTable(polynomial);
  const uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
  uint64_t crc = mask;
  for (const char c : bytes)
    crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  crc ^= mask;
  std::string out;
  for (int shift = width - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(crc >> shift & 0xff);
  }
  return out;
}

std::string Hash(const EVP_MD* algorithm, std::string_view bytes) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size,
                   algorithm, nullptr) == 1);
  out.resize(size);
  return out;
}

constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";

}  // namespace

std::string Md5(std::string_view bytes) { return Hash(EVP_md5(), bytes); }

std::string HexMd5(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : Md5(bytes)) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string Checksum(std::string_view header, std::string_view bytes) {
  const std::string_view name = header.substr(std::min(header.size(), kChecksumPrefix.size()));
  if (name == "crc32") return EncodeBase64(Crc<kCrc32>(bytes, 32));
  if (name == "crc32c") return EncodeBase64(Crc<kCrc32c>(bytes, 32));
  if (name == "crc64nvme") return EncodeBase64(Crc<kCrc64Nvme>(bytes, 64));
  if (name == "sha1") return EncodeBase64(Hash(EVP_sha1(), bytes));
  if (name == "sha256") return EncodeBase64(Hash(EVP_sha256(), bytes));
  return {};
}

bool IsChecksumHeader(std::string_view name) {
  return name.starts_with(kChecksumPrefix) && !Checksum(name, "").empty();
}

Result<Pairs> VerifyChecksums(const Pairs& headers, std::string_view bytes) {
  Pairs checksums;
  for (const auto& [name, value] : headers) {
    const std::string lower = LowerCase(name);
    if (lower == "content-md5") {
      const std::string given = DecodeBase64(value).value_or("");
      if (given.size() != 16) return S3Failure("InvalidDigest", "Content-MD5 is no MD5");
      if (given != Md5(bytes)) return S3Failure("BadDigest", "Content-MD5 is not the body's");
    } else if (IsChecksumHeader(lower)) {
      if (value != Checksum(lower, bytes)) {
        return S3Failure("BadDigest", lower + " is not the body's");
      }
      checksums.emplace_back(lower, value);
    }
  }
  return checksums;
}

}  // namespace llama::emulator
