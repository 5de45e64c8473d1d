// The checksums that S3 takes with an object, and what a client says they are. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "emulator/request/message.h"

namespace llama::emulator {

std::string Md5(std::string_view bytes);  // 16 bytes
std::string HexMd5(std::string_view bytes);

// Of "x-amz-checksum-crc32", "-crc32c", "-crc64nvme", "-sha1", "-sha256": base64 of its big-endian
// bytes. Empty: no such algorithm.
std::string Checksum(std::string_view header, std::string_view bytes);
bool IsChecksumHeader(std::string_view lower_case_name);

// Compares Content-MD5 and every x-amz-checksum-… of `headers` with the bytes: BadDigest,
// InvalidDigest. Gives the checksums, to keep with the object.
Result<Pairs> VerifyChecksums(const Pairs& headers, std::string_view bytes);

}  // namespace llama::emulator
