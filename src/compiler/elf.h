// What an ELF program says about how it is to be loaded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::compiler {

struct ElfProgram {
  bool is_x86_64 = false;   // 64-bit, little-endian, x86-64
  std::string interpreter;  // PT_INTERP; empty: static
};

// kInvalid: not an ELF file (a script, for instance), or a damaged one.
Result<ElfProgram> ReadElfProgram(const std::string& path);

// Whether the word stands anywhere in the file.
Result<bool> HoldsWord(const std::string& path, std::string_view word);

// The shared libraries that `path` loads here, as its own loader finds them (`<loader> --list`)
// under `env`; without the loader and without those that the kernel brings.
Result<std::vector<std::string>> ListLibraries(const std::string& path,
                                               const std::string& interpreter,
                                               const std::vector<std::string>& env);

}  // namespace llama::compiler
