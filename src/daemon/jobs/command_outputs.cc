#include "daemon/jobs/command_outputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "base/file.h"
#include "tree/layer.h"

namespace llama::daemon {
namespace {

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

// Why an announced file is not there.
std::string WhyMissing(const session::CommandOutput& output, const job::Answer& answer) {
  for (const std::string& why : answer.refused) {
    if (!why.starts_with(output.remote + ": ")) continue;
    const bool is_dir = why.ends_with(": a directory");
    return why + (is_dir ? "; announce it with '/' at its end" : ", not a regular file");
  }
  return output.remote + ": the command did not make it";
}

}  // namespace

Result<std::string> LocalPathOf(const std::vector<session::CommandOutput>& announced,
                                const std::string& remote) {
  if (!tree::IsCanonicalPath(remote)) return Error{Code::kInvalid, "bad output path: " + remote};
  for (const session::CommandOutput& output : announced) {
    if (!output.is_tree && output.remote == remote) return output.local;
  }
  for (const session::CommandOutput& output : announced) {
    if (!output.is_tree || !tree::IsBelow(remote, output.remote)) continue;
    std::string path = output.local + remote.substr(output.remote.size());
    TRY(CheckNoLinks(output.local, path));
    return path;
  }
  return Error{Code::kInvalid, "unannounced output: " + remote};
}

Result<WrittenOutputs> WriteCommandOutputs(const session::RunCommand& request,
                                           const job::Answer& answer) {
  std::vector<std::string> paths;
  for (const job::OutputFile& file : answer.outputs) {
    ASSIGN_OR_RETURN(std::string path, LocalPathOf(request.outputs, file.path));
    paths.push_back(std::move(path));
  }
  WrittenOutputs out;
  for (const session::CommandOutput& output : request.outputs) {
    const bool there = output.is_tree || std::any_of(answer.outputs.begin(), answer.outputs.end(),
                                                     [&](const job::OutputFile& file) {
                                                       return file.path == output.remote;
                                                     });
    if (!there && out.missing.empty()) out.missing = WhyMissing(output, answer);
  }
  for (size_t i = 0; i < paths.size(); ++i) {
    const job::OutputFile& file = answer.outputs[i];
    TRY(MakeDirs(std::string(DirName(paths[i]))));
    // The worker ran under the same umask; set-id bits are never taken over.
    TRY(WriteFileAtomic(paths[i], file.bytes, file.mode & 0777 & ~request.umask));
    ++out.files;
    out.bytes += file.bytes.size();
  }
  return out;
}

}  // namespace llama::daemon
