// A function's code as Lambda takes it: a zip whose bytes depend on nothing but its entries (names,
// bytes, modes), so that its SHA-256 says whether a function has this code already.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::aws {

struct ZipEntry {
  std::string name;
  std::string_view bytes;  // must live until MakeZip returns
  uint32_t mode = 0644;
};

// kInvalid: no entries, or a name that comes twice.
Result<std::string> MakeZip(const std::vector<ZipEntry>& entries);

}  // namespace llama::aws
