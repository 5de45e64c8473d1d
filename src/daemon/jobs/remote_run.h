// RemoteRun: the way of one job through the cloud, the same for a compile and for any other
// command: the local files looked at, the tree brought up to date, the function invoked, what it
// lacked sent after, until what it looked up agrees with what is here.
//
// Its errors read "word: detail". The word is stable and is counted (docs/trace_format.md, the
// reasons of local runs). Used by one job thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/jobs/shared.h"
#include "execute/sync.h"
#include "job/function_client.h"
#include "job/job.h"
#include "trace/phases.h"
#include "trace/span.h"
#include "tree/layer.h"

namespace llama::daemon {

// What differs from job to job.
class RemoteWork {
 public:
  virtual ~RemoteWork() = default;
  // Looks at all local files that it needs; anew when called again.
  virtual Result<void> Scan(trace::Span& span, const std::function<bool()>& cancelled) = 0;
  // What must be in the tree for this job alone, and for every job of its kind.
  virtual const tree::Manifest& wanted() const = 0;
  virtual const tree::Manifest& shared_entries() const = 0;
  // All of the job but its layers, its inline tree and its limits.
  virtual void FillJob(job::Job& job) const = 0;
  // Compares the lookups with the local files. False: they agree. True: wanted() now has what the
  // view lacked, of which `example` is a path.
  virtual Result<bool> Correct(const job::Answer& answer, std::string& example) = 0;
};

struct RemoteRunOptions {
  std::string build_id;
  std::string function;     // empty: the configured one
  int64_t timeout_ms = 0;   // of one invocation
  int max_crashes = 2;      // invocations, if the worker is lost
  int max_corrections = 6;  // a chain of __has_include finds one more level each time
  bool scans_anew = false;  // after a correction
};

class RemoteRun {
 public:
  // All outlive it.
  RemoteRun(const Shared& shared, const RemoteRunOptions& options, trace::Phases& phases,
            RemoteWork& work)
      : shared_(shared), options_(options), phases_(phases), work_(work) {}

  // The answer of a command that ran to its end. kCancelled; kDeadline: it took too long;
  // otherwise why not.
  Result<job::Answer> Go(const std::function<bool()>& cancelled);

  // The worker's, of the trace that `phases` belong to.
  std::vector<trace::Span> TakeWorkerSpans() { return std::move(worker_spans_); }
  uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  using Cancelled = std::function<bool()>;
  Result<void> Scan(const Cancelled& cancelled);
  Result<execute::Synced> SyncTree(const Cancelled& cancelled);
  Result<job::Answer> Invoke(const execute::Synced& synced, const Cancelled& cancelled);
  Result<job::Answer> InvokeOnce(job::Job& job, int attempt, const Cancelled& cancelled);
  job::Job MakeJob(const execute::Synced& synced) const;
  void RecordSync(trace::Span& span, const execute::Synced& synced);
  void RecordInvocation(trace::Span& span, const job::Invocation& invocation, size_t payload_bytes);
  void RecordAnswer(trace::Span& span, const job::Invocation& invocation,
                    const job::Answer& answer);
  void Count(const std::function<void(session::Counters&)>& change) {
    shared_.builds->Count(options_.build_id, change);
  }

  const Shared& shared_;
  const RemoteRunOptions options_;
  trace::Phases& phases_;
  RemoteWork& work_;
  job::FunctionClient* function_ = nullptr;
  std::vector<trace::Span> worker_spans_;
  uint64_t sent_bytes_ = 0;
  int64_t invoked_ns_ = 0;  // monotonic
};

}  // namespace llama::daemon
