#include "execute/outputs.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/file.h"
#include "tree/layer.h"

namespace llama::execute {
namespace {

bool IsCompanion(const Outputs& outputs, const std::string& path) {
  if (std::find(outputs.dirs.begin(), outputs.dirs.end(), DirName(path)) == outputs.dirs.end()) {
    return false;
  }
  const std::string_view name = BaseName(path);
  return std::any_of(outputs.stems.begin(), outputs.stems.end(), [&](const std::string& stem) {
    if (!name.starts_with(stem)) return false;
    const auto& suffixes = outputs.suffixes;
    return std::find(suffixes.begin(), suffixes.end(), name.substr(stem.size())) != suffixes.end();
  });
}

// The folders between an announced directory and a file of it, as they are here.
Result<void> CheckNoLinks(const std::string& tree, const std::string& path) {
  for (size_t end = path.find('/', tree.size() + 1); end != path.npos;
       end = path.find('/', end + 1)) {
    struct stat st {};
    const std::string dir = path.substr(0, end);
    if (lstat(dir.c_str(), &st) != 0) return {};
    if (!S_ISDIR(st.st_mode)) return Error{Code::kInvalid, dir + ": not a directory here"};
  }
  return {};
}

Result<void> CheckComplete(const Outputs& outputs, int wait_status,
                           const std::vector<OutputFile>& files,
                           const std::vector<std::string>& deleted) {
  const bool succeeded = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
  const bool has_object = outputs.object.empty() ||
                          std::any_of(files.begin(), files.end(), [&](const OutputFile& file) {
                            return file.path == outputs.object;
                          });
  if (succeeded && !has_object) {
    return Error{Code::kInvalid, "missing-output:" + outputs.object};
  }
  for (const std::string& path : deleted) {
    if (path != outputs.object && path != outputs.depfile) {
      return Error{Code::kInvalid, "unannounced-removal:" + path};
    }
  }
  return {};
}

}  // namespace

Result<std::string> LocalPathOf(const Outputs& outputs, const std::string& path) {
  if (!tree::IsCanonicalPath(path)) return Error{Code::kInvalid, "bad-output-path:" + path};
  for (const Outputs::Announced& output : outputs.announced) {
    if (!output.is_tree && output.path == path) return output.local;
  }
  if (IsCompanion(outputs, path)) return path;
  for (const Outputs::Announced& output : outputs.announced) {
    if (!output.is_tree || !tree::IsBelow(path, output.path)) continue;
    std::string local = output.local + path.substr(output.path.size());
    TRY(CheckNoLinks(output.local, local));
    return local;
  }
  return Error{Code::kInvalid, "unannounced-output:" + path};
}

bool IsAllowed(const Outputs& outputs, const std::string& path) {
  return std::any_of(outputs.announced.begin(), outputs.announced.end(),
                     [&](const auto& output) { return output.path == path; }) ||
         IsCompanion(outputs, path);
}

Result<StagedOutputs> StagedOutputs::Stage(const Outputs& outputs, int wait_status,
                                           const std::vector<OutputFile>& files,
                                           const std::vector<std::string>& deleted) {
  std::vector<std::pair<const OutputFile*, std::string>> order;
  for (const OutputFile& file : files) {
    ASSIGN_OR_RETURN(std::string local, LocalPathOf(outputs, file.path));
    order.emplace_back(&file, std::move(local));
  }
  TRY(CheckComplete(outputs, wait_status, files, deleted));
  std::stable_partition(order.begin(), order.end(),
                        [&](const auto& item) { return item.first->path != outputs.object; });
  StagedOutputs out;
  out.deleted_ = deleted;
  for (const auto& [file, local] : order) {
    if (!outputs.announced.empty() && outputs.dirs.empty()) {
      TRY(MakeDirs(std::string(DirName(local))));
    }
    // The worker ran under the same umask; set-id bits are never taken over.
    ASSIGN_OR_RETURN(StagedFile staged,
                     StagedFile::Write(local, file->bytes, file->mode & 0777 & ~outputs.umask));
    if (out.files_.empty()) {
      ASSIGN_OR_RETURN(out.staged_ns_, staged.ModifiedNs());
    }
    out.files_.push_back(std::move(staged));
    out.bytes_ += file->bytes.size();
  }
  return out;
}

Result<void> StagedOutputs::SetModifiedNs(int64_t time_ns) {
  for (StagedFile& file : files_) TRY(file.SetModifiedNs(time_ns));
  return {};
}

Result<void> StagedOutputs::Commit() {
  for (StagedFile& file : files_) TRY(file.Commit(StagedFile::Replace::kUnflushed));
  for (const std::string& path : deleted_) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError(errno, path);
  }
  return {};
}

}  // namespace llama::execute
