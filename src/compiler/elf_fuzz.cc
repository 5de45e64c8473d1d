// The programs of a toolchain.
#include "base/fuzz.h"
#include "compiler/elf.h"

namespace llama::compiler {

FUZZ_TARGET(bytes) {
  static FuzzFile file;
  (void)ReadElfProgram(file.Put(bytes)).has_value();
}

}  // namespace llama::compiler
