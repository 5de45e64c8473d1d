// Which scanner this is: another number whenever a source changed that decides what a text's
// directives are (cmake/ScannerVersion.cmake).
#pragma once

#include <cstdint>

namespace llama::scan {

extern const uint64_t kScannerVersion;

}  // namespace llama::scan
