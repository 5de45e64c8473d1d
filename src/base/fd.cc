#include "base/fd.h"

#include <unistd.h>

namespace llama {

void Fd::Reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace llama
