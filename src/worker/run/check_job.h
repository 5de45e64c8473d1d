// Whether a job that came over the wire can be one: a worker makes and reads files by its paths.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "job/job.h"

namespace llama::worker {

// kInvalid names the path that is not absolute, or has empty, "." or ".." parts.
Result<void> CheckPaths(const std::vector<std::string>& paths, std::string_view what);
// Of all of a job but its view, which the mirror checks, and its working directory.
Result<void> CheckJob(const job::Job& job);

// The working directory as a local path: it is below the root, said or not.
std::string LocalCwd(const job::Job& job);

}  // namespace llama::worker
