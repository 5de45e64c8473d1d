// Finding the daemon: connect, start one if there is none, agree on the version.
//
// However many processes call Connect at once, one daemon is started: the caller that gets the
// lock run/start.lock starts `llama daemon run` and waits for its word that it listens; the others
// try to connect meanwhile. A daemon of another build that is idle gives way and is replaced; a
// busy one is left alone.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace llama::client {

struct ConnectOptions {
  std::string state_dir;       // LLAMA_DIR, absolute
  std::string build_id;        // of this binary; empty: to ask for the status of any
  std::string daemon_program;  // the `llama` to start
  bool start = true;           // false: kNotFound if no daemon runs
  bool retry_failed = false;   // try even if a start failed, or the daemon hung, a moment ago
  int64_t timeout_ms = 10'000;
  // For how long after a failed start, or a daemon that hung, nobody tries again: a build of ten
  // thousand compiles must not wait ten thousand times.
  int64_t hold_ms = 10'000;
};

// $LLAMA_DIR, or $XDG_STATE_HOME/llama, or $HOME/.local/state/llama; absolute. kNotFound if none of
// them is set.
Result<std::string> StateDir();

// The folder of links to the wrapper that `llama build` puts ahead in PATH.
std::string MasqueradeDir(const std::string& state_dir);

// The state folder of the environment and the `llama` beside this program.
Result<ConnectOptions> OptionsFromEnvironment(std::string build_id);

// A welcomed connection (blocking, close-on-exec): the next frame is the caller's. kUnavailable: a
// daemon of another build is busy, one could not be started, or it hung a moment ago. kDeadline: it
// hangs; that is noted.
Result<Fd> Connect(const ConnectOptions& options);

}  // namespace llama::client
