#include "client/request.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file_namespace.h"
#include "session/environment.h"
#include "session/standard_stream.h"

namespace llama::client {

session::Compile RequestFor(const Invocation& invocation, const std::string& cwd,
                            const std::array<bool, 3>& closed) {
  session::Compile request;
  request.compiler = invocation.program;
  request.argv = invocation.argv;
  request.env = session::RelevantEnvironment(environ);
  for (std::string& entry : request.env) {
    if (entry.starts_with("PATH=")) entry = "PATH=" + invocation.path;
  }
  request.cwd = cwd;
  request.umask = umask(0);
  umask(request.umask);
  request.group = getegid();
  request.pid = static_cast<uint32_t>(getpid());
  for (size_t i = 0; i < closed.size(); ++i) {
    request.streams[i] = session::StreamAt(static_cast<int>(i), closed[i]);
  }
  request.file_namespace = OwnFileNamespace();
  return request;
}

}  // namespace llama::client
