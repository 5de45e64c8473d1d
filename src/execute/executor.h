// Executor: runs actions somewhere. Today the functions (execute/functions.h); replay, a race, a
// cache, another engine are executors as well, or stand before one. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "execute/action.h"
#include "execute/allowance.h"
#include "execute/outcome.h"
#include "execute/reason.h"
#include "trace/phases.h"
#include "trace/span.h"

namespace llama::execute {

// What was spent, whatever came of it.
struct Charges {
  uint64_t bytes_up = 0;    // payloads and uploaded objects
  uint64_t bytes_down = 0;  // answers, and objects fetched by workers
  uint64_t store_requests = 0;
  uint64_t cold_starts = 0;
  uint64_t retries = 0;
  double cost_usd = 0;  // at AWS's published prices
  int64_t user_ns = 0;  // of the command, there
  int64_t system_ns = 0;
  uint64_t replayed = 0;    // actions answered from a recording
  uint64_t unrecorded = 0;  // that should have been
};

// One way through an executor: who waits for it and until when, and what it leaves behind besides
// the outcome. Used by one thread; may serve several calls of Execute, one after another.
struct Execution {
  const Clock& clock;
  trace::Phases& phases;                 // gets a span for each step
  std::function<bool()> cancelled = {};  // polled; may be empty
  // Monotonic. One deadline for all that is done for an action, however often it is tried.
  int64_t deadline_ns = INT64_MAX;
  Allowance allowance = Allowance();  // of that, for all that the cloud takes beside the command
  std::string function = {};          // which one, by name; empty: the configured one
  // Whether who has waited so long for a cloud that is busy with something else than the command
  // should rather run here; gives each idle core away once. Empty: never.
  std::function<bool(int64_t waited_ms)> rather_here = {};
  int max_losses = 2;  // invocations whose worker may be lost

  Charges charges = {};
  std::vector<trace::Span> worker_spans = {};  // of the trace that `phases` belong to

  bool is_over() const { return deadline_ns <= clock.MonotonicNs() || (cancelled && cancelled()); }
  // Why, once it is over.
  Reason WhyOver() const {
    if (cancelled && cancelled()) return {"cancelled", {}, Code::kCancelled};
    return {"deadline", "the job's time was up", Code::kDeadline};
  }
  // What is left, in whole milliseconds, at most `limit_ms`; 0 when it is over.
  int64_t RemainingMs(int64_t limit_ms) const;
};

// What an executor can do.
struct Abilities {
  bool records_lookups = false;
  uint64_t max_output_bytes = 0;  // of all outputs together; 0: no bound of its own
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual Abilities abilities() const = 0;
  // Runs it to its end, whatever the command's status. Why not: kUnavailable if the action's inputs
  // changed since they were looked at (so look again), kDeadline, kCancelled, or another reason.
  virtual OrReason<Outcome> Execute(const Action& action, Execution& execution) = 0;
};

}  // namespace llama::execute
