// Small readings and writings of text that HTTP and S3 need. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "emulator/request/message.h"

namespace llama::emulator {

bool SameIgnoringCase(std::string_view a, std::string_view b);
std::string LowerCase(std::string_view text);
std::string_view TrimSpace(std::string_view text);
// All of `text`, decimal.
std::optional<uint64_t> ParseUint(std::string_view text);
// "a=b&c" as decoded pairs; '+' is a space. kInvalid: a bad escape.
Result<Pairs> ParseQuery(std::string_view text);

std::string EncodeBase64(std::string_view bytes);
std::optional<std::string> DecodeBase64(std::string_view text);  // nothing if it is not that

// "Tue, 31 Jan 2026 12:00:00 GMT", of Unix seconds; and back.
std::string HttpDate(int64_t time_s);
std::optional<int64_t> ParseHttpDate(const std::string& text);
// "2026-01-31T12:00:00.123Z", of Unix nanoseconds.
std::string IsoDate(int64_t time_ns);

}  // namespace llama::emulator
