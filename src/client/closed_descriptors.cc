#include "client/closed_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace llama::client {

void HoldClosedDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) (void)!open("/", O_PATH | O_CLOEXEC);
  }
}

}  // namespace llama::client
