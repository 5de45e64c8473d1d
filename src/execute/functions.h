// FunctionExecutor: runs actions in functions, local worker processes or Lambda's. It keeps the
// remote tree in step, invokes, sends what the store had lost once more, and takes the worker's
// root off all that comes back: nothing of it leaves here.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "execute/executor.h"
#include "execute/function_health.h"
#include "execute/tree_sync.h"
#include "job/function_client.h"
#include "job/job.h"
#include "tree/layer_index.h"

namespace llama::execute {

// Where the functions are.
class Cloud {
 public:
  virtual ~Cloud() = default;
  // The function of that name ("name", "name:alias", an ARN), or the configured one for "". Lives
  // as long as the cloud. kInvalid: no such thing here, and why.
  virtual Result<job::FunctionClient*> Function(const std::string& name) = 0;
  // Why a job has no chance there now (a circuit is open), in a line for the user; empty while all
  // is well. Thread-safe, as Function.
  virtual std::string Outage() = 0;
};

class FunctionExecutor final : public Executor {
 public:
  // All outlive it.
  FunctionExecutor(Cloud& cloud, TreeSync& sync, const tree::LayerIndex& index)
      : cloud_(cloud), sync_(sync), index_(index) {}

  Abilities abilities() const override { return {.records_lookups = true}; }
  OrReason<Outcome> Execute(const Action& action, Execution& execution) override;

 private:
  OrReason<Synced> SyncTree(const Action& action, Execution& execution);
  OrReason<job::Answer> Invoke(const Action& action, const Synced& synced,
                               job::FunctionClient& function, Execution& execution);
  OrReason<job::Answer> InvokeOnce(job::Job& job, int attempt, job::FunctionClient& function,
                                   Execution& execution);
  OrReason<Outcome> Localise(const Action& action, const Synced& synced, job::Answer answer) const;

  bool Resends(int resends, const Execution& execution);
  void Learn(const std::string& function, const OrReason<job::Answer>& answer, int64_t invoked_ns,
             const Execution& execution);

  // After this time of the monotonic clock objects that are missing are sent again: that did not
  // help a moment ago, and each try uploads whole toolchains.
  std::atomic<int64_t> resend_after_ns_{INT64_MIN};
  FunctionHealth health_;
  Cloud& cloud_;
  TreeSync& sync_;
  const tree::LayerIndex& index_;
};

}  // namespace llama::execute
