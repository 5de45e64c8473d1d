// Running a child process to its end, with its output captured and its resources counted.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace llama {

struct ProcessUsage {
  int64_t wall_ns = 0;
  int64_t user_ns = 0;  // of the child and of every descendant it waited for
  int64_t system_ns = 0;
  int64_t max_rss_bytes = 0;
};

struct ProcessResult {
  int status = 0;  // as waitpid gives it: WIFEXITED, WTERMSIG, …
  std::string out;
  std::string err;
  ProcessUsage usage;

  // The exit code, or 128 + signal as a shell has it.
  int ExitCode() const;
};

struct ProcessOptions {
  std::string program;            // path to execute; no PATH search
  std::vector<std::string> argv;  // with argv[0]
  std::vector<std::string> env;   // "K=V"; the whole environment of the child
  std::string cwd;                // empty: ours
  // Descriptors to keep in the child besides 0, 1 and 2: {ours, number there}.
  std::vector<std::pair<int, int>> keep_fds;
  int stdin_fd = -1;  // what the child reads; -1: /dev/null
  mode_t umask = 022;
  int64_t timeout_ms = 0;                    // 0: none. At the end the process group is killed.
  uint64_t max_output_bytes = 256ull << 20;  // of stdout and of stderr; beyond, kInvalid
  // Polled about every 20 ms; true kills the process group and gives kCancelled.
  std::function<bool()> cancelled;
  // Called with the child's pid (also its process group) once it runs, and with 0 when it ended.
  std::function<void(pid_t)> on_start;
};

// Without `stdin_fd` stdin is /dev/null (or closed where there is none). The child gets a process
// group of its own, which on timeout or cancellation is asked to end (SIGTERM) and killed whole a
// tenth of a second later, and dies (SIGKILL) with the calling thread's process. Errors: kNotFound
// or kInvalid if the program can't be executed, kDeadline, kCancelled, kInvalid for too much
// output.
Result<ProcessResult> RunProcess(const ProcessOptions& options);

}  // namespace llama
