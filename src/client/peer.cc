#include "client/peer.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/fd.h"
#include "session/socket.h"

namespace llama::client {

bool IsPeerStopped(int socket) {
  const pid_t pid = session::PeerPid(socket);
  if (pid <= 0) return false;
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return false;
  char text[512];
  const ssize_t count = read(fd.get(), text, sizeof text);
  if (count <= 0) return false;
  // "pid (name) state …"; a name may hold anything.
  const std::string_view stat(text, static_cast<size_t>(count));
  const size_t name_end = stat.rfind(')');
  return name_end != stat.npos && stat.substr(name_end).starts_with(") T");
}

}  // namespace llama::client
