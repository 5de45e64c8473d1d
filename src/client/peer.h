// What is at the other end of a socket.
#pragma once

namespace llama::client {

// Whether the process that listens or connected there is stopped (SIGSTOP, Ctrl-Z): it will say
// nothing, however long one waits. False when in doubt.
bool IsPeerStopped(int socket);

}  // namespace llama::client
