#include "worker/run/check_job.h"

#include "base/root_mark.h"
#include "tree/layer.h"

namespace llama::worker {
namespace {

// They are searched by path.
Result<void> CheckInodes(const std::vector<tree::Inode>& inodes) {
  for (size_t i = 0; i < inodes.size(); ++i) {
    if (!tree::IsCanonicalPath(inodes[i].path) || (i > 0 && inodes[i].path <= inodes[i - 1].path)) {
      return Error{Code::kInvalid, "inode: not canonical or out of order: " + inodes[i].path};
    }
  }
  return {};
}

}  // namespace

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
