// RemoteJobs: many commands in flight with one thread: each is a connection to the daemon, and all
// are waited for at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "client/connection.h"
#include "session/session.h"

namespace llama::app {

class RemoteJobs {
 public:
  explicit RemoteJobs(client::ConnectOptions connect, const Clock& clock = SystemClock())
      : connect_(std::move(connect)), clock_(clock) {}

  // What a lost daemon or connection did to a job stands in the result's `error`.
  struct Finished {
    size_t id = 0;
    session::CommandResult result;
  };

  // `id` is the caller's and must not be in flight.
  Result<void> Start(size_t id, const session::RunCommand& request);
  // Those that have ended by now; waits for the first up to `timeout_ms`, or until `wake_fd` (-1:
  // none) can be read.
  std::vector<Finished> Wait(int64_t timeout_ms, int wake_fd);
  // Hangs up: the daemon cancels them.
  void Abandon() { running_.clear(); }
  size_t running() const { return running_.size(); }

 private:
  struct Running {
    Fd fd;
    int64_t heard_ns = 0;
  };
  // True: it has ended, and `result` says how.
  bool Take(Running& job, session::CommandResult& result);

  const client::ConnectOptions connect_;
  const Clock& clock_;
  std::map<size_t, Running> running_;
};

}  // namespace llama::app
