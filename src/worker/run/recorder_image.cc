#include "worker/run/lookups.h"

// The recorder is built beside this file and travels inside the worker, which is one file.
asm(".section .rodata\n"
    ".balign 16\n"
    ".global llama_recorder_begin\n"
    ".global llama_recorder_end\n"
    "llama_recorder_begin:\n"
    ".incbin \"" LLAMA_RECORDER_FILE
    "\"\n"
    "llama_recorder_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" {
extern const char llama_recorder_begin[];
extern const char llama_recorder_end[];
}

namespace llama::worker {

std::string_view RecorderImage() {
  return {llama_recorder_begin, static_cast<size_t>(llama_recorder_end - llama_recorder_begin)};
}

}  // namespace llama::worker
