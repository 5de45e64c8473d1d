// WorkerProcess: one worker program, in a session of its own, with its end of a socket as
// descriptor 3 and a folder of its own.
//
// The session is what makes sure that nothing survives: a worker that is killed in the midst of a
// job leaves the compiler's children behind, in process groups that only the worker knew.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace llama::cloud {

struct SpawnOptions {
  std::vector<std::string> argv;  // argv[0] is sought in PATH if it has no slash
  std::vector<std::string> env;   // "K=V"
  int socket = -1;                // becomes descriptor 3
  std::string log_path;           // its stdout and stderr
};

class WorkerProcess {
 public:
  // kNotFound, kInvalid or so if the program can't be executed.
  static Result<std::unique_ptr<WorkerProcess>> Spawn(const SpawnOptions& options);
  // Kills, as End(0).
  ~WorkerProcess();

  // Waits up to `grace_ms` for it to end by itself (its socket must be closed for that), kills what
  // is left of its session, and reaps it. Idempotent.
  void End(int64_t grace_ms);
  pid_t pid() const { return pid_; }
  // After End: "exited with status 1", "killed by signal 9 (Killed)".
  std::string Fate() const;
  // Whether it ended, without waiting or reaping.
  bool HasEnded() const;
  // Becomes readable when it ends (a pidfd); -1 where the kernel has none (before 5.3). Its socket
  // says as much, unless a child of it holds the other end open.
  int end_fd() const { return handle_.get(); }

 private:
  explicit WorkerProcess(pid_t pid);

  pid_t pid_;
  Fd handle_;
  bool reaped_ = false;
  int status_ = 0;
};

}  // namespace llama::cloud
