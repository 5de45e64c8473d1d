// FunctionHealth: remembers, for all jobs, of a function that it fails whatever it is given: its
// code does not start, its workers die or have no room for a mirror, its answers never come. The
// service in front of it is well, so no circuit knows, and each job alone would find it out, at the
// cost of an invocation or two.
//
// kFailures in a row make it known; one that took all the time that its job had, while nothing else
// ran there, by itself. From then on jobs are told at once what the last failure was, but for one
// in the time that a failure takes (within kLeastHoldMs and kMostHoldMs), which tries. Any command
// that ran ends it. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "execute/reason.h"

namespace llama::execute {

class FunctionHealth {
 public:
  static constexpr int kFailures = 4;
  static constexpr int64_t kLeastHoldMs = 5'000;
  static constexpr int64_t kMostHoldMs = 60'000;
  // Past so many names, all is forgotten: each compile may name another function.
  static constexpr size_t kMaxFunctions = 1'000;

  // Why not to ask the function of that name. Empty: nothing is known, or the caller is to try.
  std::optional<Reason> Trouble(const std::string& function, int64_t now_ns);
  // An invocation ended with nothing run; all times are monotonic. kDeadline: it took all of its
  // job's time; a command that is too long for its function is not to be told here.
  void Failed(const std::string& function, Reason reason, int64_t begun_ns, int64_t now_ns);
  void Ran(const std::string& function, int64_t now_ns);

 private:
  struct Record {
    int failures = 0;  // in a row
    int64_t ran_ns = INT64_MIN;
    Reason last;
    int64_t hold_ns = 0;
    int64_t until_ns = 0;
  };

  Record& RecordOf(const std::string& function) REQUIRES(mutex_);

  Mutex mutex_;
  std::map<std::string, Record> records_ GUARDED_BY(mutex_);
};

}  // namespace llama::execute
