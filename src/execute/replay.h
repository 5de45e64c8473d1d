// Recording and replay: an executor that keeps what came of each action, and one that answers with
// it after the time that it took (docs/replay.md). Both stand before another executor.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "execute/executor.h"
#include "execute/outcome_file.h"

namespace llama::execute {

// What an action is known by in a recording: its digest but for the outputs that stand there.
std::string RecordingName(const Action& action);

class RecordingExecutor final : public Executor {
 public:
  // `inner` outlives it. The folder must be there.
  RecordingExecutor(Executor& inner, std::string dir) : inner_(inner), dir_(std::move(dir)) {}

  Abilities abilities() const override { return inner_.abilities(); }
  OrReason<Outcome> Execute(const Action& action, Execution& execution) override;

 private:
  Executor& inner_;
  const std::string dir_;
};

struct ReplayOptions {
  std::string dir;
  int workers = 1000;
  double speed = 1;  // 0: nothing is waited for
  int64_t cold_start_ms = 0;
  int64_t uplink_bytes_per_s = 0;  // of all together; 0: without limit
};

class ReplayExecutor final : public Executor {
 public:
  // `inner` runs what was not recorded; it and the clock outlive this.
  ReplayExecutor(const ReplayOptions& options, Executor& inner, const Clock& clock)
      : options_(options), inner_(inner), clock_(clock) {}

  Abilities abilities() const override { return inner_.abilities(); }
  OrReason<Outcome> Execute(const Action& action, Execution& execution) override;

 private:
  struct Turn {
    bool is_cold = false;
  };
  OrReason<Turn> AwaitWorker(Execution& execution) EXCLUDES(mutex_);
  void Release() EXCLUDES(mutex_);
  void WakeFirst() REQUIRES(mutex_);
  // When these bytes have gone up, if they begin now.
  int64_t SentNs(uint64_t bytes) EXCLUDES(mutex_);
  // False: the execution was over before.
  bool WaitUntil(int64_t end_ns, Execution& execution) EXCLUDES(mutex_);

  const ReplayOptions options_;
  Executor& inner_;
  const Clock& clock_;

  Mutex mutex_;
  std::deque<CondVar*> queue_
      GUARDED_BY(mutex_);  // first come, first served: each waits for its own
  int busy_ GUARDED_BY(mutex_) = 0;
  int started_ GUARDED_BY(mutex_) = 0;  // workers that were ever busy
  int64_t uplink_free_ns_ GUARDED_BY(mutex_) = 0;
};

}  // namespace llama::execute
