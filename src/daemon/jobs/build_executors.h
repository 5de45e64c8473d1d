// BuildExecutors: which executor runs the actions of a build: the functions, and before them a
// recording or a replay where `llama build` asks for one; and how much of it is audited.
// Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "execute/executor.h"
#include "session/session.h"

namespace llama::daemon {

class BuildExecutors {
 public:
  // Both outlive it, and what it gives.
  BuildExecutors(execute::Executor& functions, const Clock& clock)
      : functions_(functions), clock_(clock) {}

  // kInvalid, kNotFound and so on: the folder can't be used.
  Result<void> Begin(const session::BeginBuild& build);
  void End(const std::string& build_id);
  // Stays good until whoever asked lets go of it.
  std::shared_ptr<execute::Executor> For(const std::string& build_id);
  // Of its compiles, how many are to be audited: 0 to 1.
  double AuditShare(const std::string& build_id);

 private:
  execute::Executor& functions_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<execute::Executor>> special_ GUARDED_BY(mutex_);
  std::map<std::string, double> audit_shares_ GUARDED_BY(mutex_);
};

}  // namespace llama::daemon
