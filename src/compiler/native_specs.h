// What gcc's driver makes of -march=native and -mtune=native, as a file of specs.
//
// The driver asks the processor (local_cpu_detect) in one of its specs, cc1_cpu, and puts what it
// learns where that stands: before all -m options, and before --param. Specs that say the very
// words there give cc1 the very command line, whatever stands around them.
#pragma once

#include <string>

#include "base/result.h"
#include "compiler/toolchain.h"

namespace llama::compiler {

// Writes it into `dir` and gives its path. Tried out: kInvalid if cc1 would not be told the same.
Result<std::string> WriteNativeSpecs(const Toolchain& toolchain, const std::string& dir);

}  // namespace llama::compiler
