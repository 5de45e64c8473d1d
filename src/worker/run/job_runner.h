// JobRunner: runs one job after another. For each: brings the mirror to the job's view, makes the
// directories and placeholders that it writes to, runs the command below the mirror's root, and
// collects what it wrote, what it looked up and what it used.
//
// `dir` is all that a runner writes to:
//   m/                  the tree (mirror/mirror.h). A short name, since the mirror's links must
//                       fit where programs have "/lib64/ld-linux-x86-64.so.2"; below
//                       /tmp/llama-worker they do.
//   tmp/                the command's TMPDIR, empty before each
//   lookups, recorder/  worker/run/lookups.h
//
// A job is foreign: whatever it asks for and whatever its command does, the outcome is an answer,
// and nothing of it reaches the next job. Every process of a command is ended before its answer,
// and what it did to the folder is found and undone before the next command (mirror/mirror.h says
// how). Where that can't be, the runner is spent. The process becomes a subreaper, and must have no
// children but the runner's.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "job/job.h"
#include "mirror/mirror.h"
#include "store/object_store.h"
#include "worker/run/job_spans.h"
#include "worker/run/lookups.h"

namespace llama::worker {

struct RunnerOptions {
  std::string dir;  // made if absent; what an earlier runner left there is removed
  uint64_t mirror_max_bytes = uint64_t{4} << 30;
};

struct RunLimits {
  int64_t received_ns = 0;        // monotonic, when the job began to arrive; its spans start there
  int64_t deadline_ms = 0;        // of the Unix epoch: by then the answer is out; 0: none
  std::string xray;               // X-Ray's trace header, for the span
  uint64_t max_answer_bytes = 0;  // encoded; 0: as the job says
  std::function<bool()> should_abort;  // polled while the command runs; true kills it
};

class JobRunner {
 public:
  // `store` and `clock` must outlive the runner.
  static Result<std::unique_ptr<JobRunner>> Open(const RunnerOptions& options,
                                                 store::ObjectStore& store, const Clock& clock);
  // Removes what it has put into `dir`, and `dir` if nothing else is in it.
  ~JobRunner();

  // Encoded job in, encoded answer out. An error only if `payload` is no job.
  Result<std::string> Run(std::string_view payload, const RunLimits& limits);
  // Looks at what the command has done to the folder, and undoes it. Run would do it before the
  // next command; between the two nobody waits for it.
  void Recover();
  // A command has left what can't be undone, or somebody has removed the folder: every Run fails
  // from now on.
  bool is_spent() const { return spent_; }
  // The last Run ran nothing for that reason: another worker can run the job.
  bool has_lost_job() const { return lost_job_; }

 private:
  struct Command;  // what runs: a process's options and what was seen of it

  JobRunner(std::string dir, const Clock& clock) : dir_(std::move(dir)), clock_(clock) {}
  void LookAgain();
  job::Answer& Lose(job::Answer& answer, const Error& error);
  job::Answer RunJob(const job::Job& job, const RunLimits& limits, JobSpans& phases);
  Result<void> Materialise(const job::Job& job, job::Answer& answer, JobSpans& phases);
  Result<void> MakeDirs(const job::Job& job);
  Result<Command> Prepare(const job::Job& job, const RunLimits& limits);
  Result<void> GiveInput(const job::Job& job, Command& command);
  Result<std::string> FindInImage(const std::string& name) const;
  Result<void> Collect(const job::Job& job, Command& command, job::Answer& answer);
  Result<void> Execute(Command& command, job::Answer& answer, JobSpans& phases);
  Result<void> CollectLookups(Command& command, bool any_command, job::Answer& answer);
  std::string Rooted(std::string_view text) const;

  const std::string dir_;
  const Clock& clock_;
  std::unique_ptr<mirror::Mirror> mirror_;
  std::unique_ptr<LookupLog> lookups_;
  job::WorkerIdentity identity_;
  bool recovered_ = true;  // nothing of the last command is left
  mirror::Reach reach_ = mirror::Reach::kEverything;
  int64_t recovered_ns_ = 0;  // when that was seen
  bool spent_ = false;
  bool lost_job_ = false;
};

}  // namespace llama::worker
