// WorkerDir: the folder that one worker alone writes to, where nobody has given it one.
//
// Workers may meet in the same /tmp: "llama-worker" is the first's, the others have their number in
// the name. A lock tells whose is whose; who is killed leaves a folder without one, which the next
// worker there removes (whoever started it may not see into its root).
#pragma once

#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"

namespace llama::worker {

class WorkerDir {
 public:
  // Below `tmp`. Names are as short as can be: see job_runner.h.
  static Result<WorkerDir> Claim(const std::string& tmp);

  // One that somebody else has made for it, and will remove.
  static WorkerDir Given(std::string path) { return {std::move(path), Fd()}; }

  const std::string& path() const { return path_; }

 private:
  WorkerDir(std::string path, Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  Fd lock_;  // as long as it is open
};

}  // namespace llama::worker
