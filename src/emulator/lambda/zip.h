// A function's code: the zip that it was uploaded as, checked as foreign bytes, and unpacked to
// where environments see it as /var/task.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::emulator {

inline constexpr uint64_t kMaxZipBytes = 50ull << 20;
inline constexpr uint64_t kMaxUnzippedBytes = 250ull << 20;

// Whether there is a file of that name at its top. kInvalid: no zip file, or one that Unzip
// refuses.
Result<bool> ZipHolds(std::string_view zip, std::string_view name);

// Makes the folder `dir` (absent before) of what the zip holds: regular files and folders, with
// their permission to be executed. Appears whole or not at all. kInvalid: it is damaged, too large,
// unpacks to more than 250 MB, or holds something else (a link, a name outside, a name twice).
Result<void> Unzip(std::string_view zip, const std::string& dir);

}  // namespace llama::emulator
