// FuzzFile: an input as a file, in memory, for fuzz targets whose reader wants a path.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/file.h"
#include "base/log.h"

namespace llama {

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
