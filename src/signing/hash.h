// SHA-256 and its HMAC, raw, for signatures. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace llama::signing {

std::string Sha256(std::string_view bytes);                              // 32 bytes
std::string HmacSha256(std::string_view key, std::string_view message);  // 32 bytes
std::string Hex(std::string_view bytes);                                 // lower case

}  // namespace llama::signing
