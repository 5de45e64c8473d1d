// The ELF interpreter (PT_INTERP) of a program: where its name stands in the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llama::mirror {

struct ElfInterp {
  std::string path;     // absolute
  uint64_t offset = 0;  // in the file
  uint64_t room = 0;    // bytes there, the closing NUL included
};

// Of a 32- or 64-bit little-endian ELF file. Nothing for whatever else: no interpreter, damaged.
std::optional<ElfInterp> FindElfInterp(std::string_view file);

}  // namespace llama::mirror
