// AnnouncedOutputs: what a command of any kind was said to leave behind, and nothing else. A file
// by its path; a tree by its directory: every regular file below it that is new or was written to.
//
// No symbolic link is followed to a file or into a directory: the command made it, and it may lead
// anywhere.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "job/job.h"
#include "worker/run/outputs.h"

namespace llama::worker {

class AnnouncedOutputs {
 public:
  // `root` stands before the outputs' local paths on disk.
  AnnouncedOutputs(std::string root, std::vector<job::JobOutput> outputs)
      : root_(std::move(root)), outputs_(std::move(outputs)) {}

  // Before the command: an input that is an output as well becomes a file of its own, which may be
  // written to; what trees hold is remembered.
  Result<void> Begin();
  // After it: fills `answer.outputs`, in order of paths, and `answer.refused`. An announced file
  // that is not there is simply not among them. kInvalid if they are more than `max_bytes` or too
  // many.
  Result<void> Collect(uint64_t max_bytes, job::Answer& answer) const;

 private:
  const std::string root_;
  const std::vector<job::JobOutput> outputs_;
  std::map<std::string, FileStamp> before_;
};

}  // namespace llama::worker
