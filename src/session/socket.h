// The daemon's socket: $LLAMA_DIR/run/daemon.sock in a folder of mode 0700 that must be ours. Both
// sides check that the other runs as the same user, so a socket that someone else planted, or a
// folder that others may write, is never spoken to.
//
// sun_path holds 108 bytes; longer paths go through /proc/self/fd/<folder>.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace llama::session {

inline constexpr char kSocketName[] = "daemon.sock";
// Beside it, while wrappers leave a daemon alone that they saw hang (client/hung_note.h).
inline constexpr char kHungName[] = "daemon.hung";

std::string RunDir(const std::string& state_dir);

// Creates the folder (0700) if it is not there; kInvalid if it is not a folder of this user's
// alone.
Result<Fd> OpenRunDir(const std::string& run_dir, bool create);

// kNotFound: no socket, or nobody listens on it. kDeadline: whoever does takes no connections.
Result<Fd> ConnectSocket(const std::string& run_dir);

// A listening, non-blocking socket that appears under its name already listening and replaces what
// is there. The caller holds the lock that makes it the only daemon.
Result<Fd> ListenSocket(const std::string& run_dir);

// The process at the other end when it connected; 0 if it is in another PID namespace.
pid_t PeerPid(int fd);

// kInvalid unless the other end is a process of this user.
Result<void> CheckPeer(int fd);

}  // namespace llama::session
