#include "worker/run/check_job.h"

#include "base/root_mark.h"
#include "tree/layer.h"
#include "worker/run/inode_table.h"

namespace llama::worker {
Result<void> CheckPaths(const std::vector<std::string>& paths, std::string_view what) {
  for (const std::string& path : paths) {
    if (!tree::IsCanonicalPath(path)) {
      return Error{Code::kInvalid, std::string(what) + ": not canonical: " + path};
    }
  }
  return {};
}

Result<void> CheckJob(const job::Job& job) {
  TRY(CheckInodes(job.inodes));
  if (!job.in_image) TRY(CheckPaths({job.program}, "program"));
  for (const job::JobOutput& output : job.outputs) TRY(CheckPaths({output.path}, "output"));
  TRY(CheckPaths(job.output_dirs, "output directory"));
  TRY(CheckPaths(job.placeholders, "placeholder"));
  if (job.argv.empty()) return Error{Code::kInvalid, "job without arguments"};
  if (!LocalCwd(job).starts_with('/')) {
    return Error{Code::kInvalid, "cwd is not absolute: " + job.cwd};
  }
  return {};
}

std::string LocalCwd(const job::Job& job) {
  return job.cwd.starts_with(kRootMark) ? job.cwd.substr(1) : job.cwd;
}

}  // namespace llama::worker
