#include "session/standard_stream.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace llama::session {

StandardStream StreamAt(int fd, bool was_closed) {
  StandardStream stream;
  if (was_closed) {
    stream.kind = StreamKind::kClosed;
  } else if (isatty(fd) == 1) {
    stream.kind = StreamKind::kTerminal;
    winsize size{};
    if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
      stream.columns = size.ws_col;
      stream.rows = size.ws_row;
    }
  }
  return stream;
}

}  // namespace llama::session
