// Outputs that stand there before the command runs. What becomes of such a file is the command's to
// say: most are written into, and keep their mode, owner, links and attributes; others are
// replaced.
#pragma once

#include <string>

#include "base/file_system.h"
#include "execute/outputs.h"

namespace llama::execute {

// How a compiler treats an object that stands there: it replaces it, or writes into an empty one
// (GNU as), or gives up on one that it may not write to (clang); clang's assembler, and gcc
// where it makes assembler text, write into it.
enum class ObjectWriter : unsigned char { kGnuAs, kClang, kInto };

// The first output that stands there and would not be left as the compiler leaves it: it is to be
// written into, and is another one than a new file would be; or it can't be written to. Empty:
// none.
std::string FirstPeculiar(const Outputs& outputs, ObjectWriter writer,
                          const FileSystem& file_system);

}  // namespace llama::execute
