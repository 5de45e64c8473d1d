#include "client/closed_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace llama::client {

std::array<bool, 3> HoldClosedDescriptors() {
  std::array<bool, 3> closed{};
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    (void)!open("/", O_PATH | O_CLOEXEC);
    closed[static_cast<size_t>(fd)] = true;
  }
  return closed;
}

}  // namespace llama::client
