// The daemon as `llama build` sees it: told when the build begins and ends, asked for its counters
// in between. Never in the way: nothing but Begin and End waits, and a daemon that goes away only
// means that the counters stand still until there is one again.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "client/connection.h"
#include "session/session.h"

namespace llama::app {

class DaemonLink {
 public:
  DaemonLink(client::ConnectOptions options, session::BeginBuild build, const Clock& clock);

  // Connects, starting the daemon if need be.
  Result<void> Begin();
  // Takes a reply that is there, asks again if `ask`, and connects again if the daemon was lost.
  void Tick(bool ask);
  // Waits for counters that are no older than the call, but not for long.
  void AwaitCounters();
  // Returns when the root span and all before it are in the trace file.
  Result<void> End(const session::EndBuild& end);

  // The latest, if any came.
  const std::optional<session::Counters>& counters() const { return counters_; }
  // Why nothing goes to the cloud now, as of the latest reply; empty: all is well.
  const std::string& outage() const { return outage_; }

 private:
  Result<void> Connect(bool start, int64_t timeout_ms);
  void TakeReply();

  client::ConnectOptions options_;
  const session::BeginBuild build_;
  const Clock& clock_;
  Fd fd_;
  int64_t tried_ns_ = 0;
  bool asked_ = false;  // a reply is under way
  std::optional<session::Counters> counters_;
  std::string outage_;
};

}  // namespace llama::app
