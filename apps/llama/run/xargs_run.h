// XargsRun: the jobs of `llama xargs` from the first item to the last: what is started when, tried
// again, printed, logged, and when it is enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "llama/build/progress.h"
#include "llama/run/joblog.h"
#include "llama/run/remote_command.h"
#include "llama/run/remote_jobs.h"
#include "llama/run/template.h"

namespace llama::app {

// When to stop before the last item: never, or after so many failures, letting the running jobs end
// or not.
struct HaltPolicy {
  enum class When : unsigned char { kNever, kSoon, kNow };
  When when = When::kNever;
  size_t failures = 0;
};
// "never", "soon,fail=3", "now,fail=1".
Result<HaltPolicy> ParseHalt(const std::string& text);

struct XargsOptions {
  size_t jobs = 64;
  bool keep_order = false;
  int tries = 1;
  HaltPolicy halt;
  std::string joblog;  // a path; empty: none
  bool resume = false;
  bool progress = true;
  bool verbose = false;
  RemoteCommand base;  // all but argv and files
};

class XargsRun {
 public:
  XargsRun(XargsOptions options, Template command, std::vector<std::string> items,
           const client::ConnectOptions& connect, Surrounding surrounding);

  // `tick` is called a few times a second; `interrupted` gives the descriptor that becomes readable
  // when it is to end at once. The exit status: the number of failed jobs up to 100, 101 for more;
  // 125 if it could not begin.
  int Run(const std::function<void()>& tick, int interrupted);

 private:
  struct Job {
    Expansion expansion;
    int tries = 0;
    int64_t start_ns = 0;
    int64_t start_monotonic_ns = 0;
    uint64_t sent_bytes = 0;
  };
  struct Output {
    std::string out;
    std::string err;
  };

  Result<void> Open();
  bool MayStart() const;
  Result<void> StartNext();
  Result<void> Launch(size_t seq);
  Result<void> Finish(size_t seq, session::CommandResult result);
  Result<void> Log(size_t seq, const Job& job, const session::CommandResult& result, int status);
  void Print(size_t seq, Output output);
  void PrintNow(const Output& output);
  void Skip(size_t seq);
  void Draw(bool last);
  int ExitStatus() const;

  const XargsOptions options_;
  const Template template_;
  const std::vector<std::string> items_;
  Surrounding surrounding_;
  RemoteJobs remote_;
  std::optional<JobLog> log_;
  const Clock& clock_ = SystemClock();

  size_t next_ = 1;  // seq of the next item to start
  std::map<size_t, Job> jobs_;
  std::deque<size_t> again_;  // to be tried again
  size_t done_ = 0;
  size_t skipped_ = 0;
  size_t failed_ = 0;
  bool halted_ = false;

  // --keep-order: what has ended before its turn.
  size_t turn_ = 1;
  std::map<size_t, Output> early_;

  int64_t start_monotonic_ns_ = 0;
  int64_t drawn_ns_ = 0;
  bool is_drawn_ = false;
  Rate rate_;
};

}  // namespace llama::app
