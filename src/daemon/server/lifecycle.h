// What makes a process a daemon: the lock that makes it the only one, its log, its limits and
// signals, and the word to whoever started it.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/log.h"
#include "base/result.h"

namespace llama::daemon {

// run/daemon.lock, held until the Fd closes or the process ends, however it ends. Waits for a
// daemon that is on its way out, or that has yet to see that its socket is gone. kUnavailable if
// another one serves; kDeadline.
Result<Fd> LockDaemon(const std::string& run_dir, int64_t timeout_ms);

// Sends stdout, stderr and the log to $LLAMA_DIR/daemon.log, stdin from nowhere. A log of 10 MB and
// more is first put aside as daemon.log.1.
Result<void> LogToFile(const std::string& llama_dir, LogLevel level);

// As many descriptors as the hard limit has.
void RaiseDescriptorLimit();

// Blocks SIGTERM and SIGINT in this and all later threads; they arrive at the descriptor.
// Ignores SIGHUP and SIGPIPE.
Result<Fd> TakeStopSignals();

// Tells the starter on the other end of the pipe that the daemon listens, or why it does not.
void TellReady(Fd ready, const Result<void>& listens = {});

}  // namespace llama::daemon
