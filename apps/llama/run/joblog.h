// The job log of `llama xargs`, in GNU parallel's format: a line a job, tabs between
//
//   Seq Host Starttime JobRuntime Send Receive Exitval Signal Command
//
// Lines are written whole, each by one write(2) when its job has ended, so that a log of a run that
// was killed says what was done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace llama::app {

struct LogEntry {
  size_t seq = 0;  // from 1
  std::string host;
  int64_t start_ns = 0;  // since the epoch
  int64_t run_ns = 0;
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  int exit_status = 0;
  int signal = 0;
  std::string command;
};

// One line, newline included. A tab, newline or backslash in the command is written \t, \n, \\.
std::string FormatLogLine(const LogEntry& entry);

class JobLog {
 public:
  // Truncates, or with `resume` appends to what is there.
  static Result<JobLog> Open(const std::string& path, bool resume);
  // Whether an earlier run's log says that this job ended with 0. kInvalid: the log has another
  // command under this number: it is of other items.
  Result<bool> IsDone(size_t seq, std::string_view command) const;
  Result<void> Write(const LogEntry& entry);

 private:
  JobLog(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  Result<void> ReadOld();

  std::string path_;
  Fd fd_;
  std::set<std::pair<size_t, std::string>> done_;
  std::set<size_t> logged_;
  std::set<std::pair<size_t, std::string>> commands_;
};

}  // namespace llama::app
