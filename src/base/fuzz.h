// FUZZ_TARGET(bytes) { … }: a body that gets anybody's bytes and CHECKs what must hold of whatever
// is read from them. One a file, thing_fuzz.cc beside the code; cmake/Room.cmake makes libFuzzer's
// program of it (tools/fuzz.sh), or a test over tests/corpus/ROOM_thing (tests/fuzz_replay.cc).
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/log.h"

// libFuzzer's name for it; once a program.
#define FUZZ_TARGET(bytes)                                                  \
  static void FuzzOneInput(std::string_view bytes);                         \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);  \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { \
    FuzzOneInput({reinterpret_cast<const char*>(data), size});              \
    return 0;                                                               \
  }                                                                         \
  static void FuzzOneInput(std::string_view bytes)

namespace llama {

// Takes an input's first byte off it, for a target with several readers; 0 if there is none.
inline unsigned TakeByte(std::string_view& bytes) {
  if (bytes.empty()) return 0;
  const auto first = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  return first;
}

// An input as a file, in memory, for targets whose reader wants a path.
class FuzzFile {
 public:
  FuzzFile() : fd_(memfd_create("fuzz", MFD_CLOEXEC)) { CHECK(fd_.valid()); }

  // The path of a file with these bytes, until the next call.
  std::string Put(std::string_view bytes) {
    CHECK(ftruncate(fd_.get(), 0) == 0 && lseek(fd_.get(), 0, SEEK_SET) == 0);
    CHECK(WriteAll(fd_.get(), bytes, "fuzz").has_value());
    return "/proc/self/fd/" + std::to_string(fd_.get());
  }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

}  // namespace llama
