// The seam between the daemon's server (connections, slots, lifetime) and its pipeline (what
// happens to one compile).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "session/session.h"

namespace llama::daemon {

struct Metrics;  // daemon/server/metrics.h

// It is to run here; the wrapper becomes the compiler.
struct RunHere {
  std::string reason;  // for people
};
// What becomes of a compile, or of a command of any kind (whatever became of it).
using Verdict = std::variant<session::CompileResult, session::CommandResult, RunHere>;

// One compile, from the request to the end of its wrapper. The server calls, in order: Run on a job
// thread; then, for a local verdict, SlotGranted when it tells the wrapper to run; at last
// Finished. Times (`received_ns`, `now_ns`) are monotonic.
class Job {
 public:
  virtual ~Job() = default;
  // `cancelled` turns true when the wrapper hung up.
  virtual Verdict Run(const std::function<bool()>& cancelled) = 0;
  virtual void SlotGranted(int64_t now_ns) = 0;
  // The connection ended, with the wrapper's last word if it had one.
  virtual void Finished(const std::optional<session::Done>& done, int64_t now_ns) = 0;
};

class Pipeline {
 public:
  virtual ~Pipeline() = default;
  // Thread-safe, as all below.
  virtual std::unique_ptr<Job> Start(session::Compile request, int64_t received_ns) = 0;
  virtual std::unique_ptr<Job> StartCommand(session::RunCommand request, int64_t received_ns) = 0;
  virtual Result<void> BeginBuild(const session::BeginBuild& build) = 0;
  virtual Result<void> EndBuild(const session::EndBuild& build) = 0;
  // Its `llama build` is gone since `gone_ns` (monotonic) without having ended it.
  virtual void AbandonBuild(const std::string& build_id, int64_t gone_ns) = 0;
  virtual session::Counters CountersOf(const std::string& build_id) = 0;
  virtual void FillStatus(session::Status& status) = 0;
  // What only it knows; FillStatus and CountersOf are asked for themselves.
  virtual void FillMetrics(Metrics& metrics) = 0;
  // Called about once a second by the server: flush traces, reap.
  virtual void Tick() = 0;
};

}  // namespace llama::daemon
