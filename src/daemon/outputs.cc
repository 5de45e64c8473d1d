#include "daemon/outputs.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace llama::daemon {
namespace {

bool Contains(std::string_view haystack, std::string_view needle) {
  return !needle.empty() &&
         memmem(haystack.data(), haystack.size(), needle.data(), needle.size()) != nullptr;
}

}  // namespace

bool IsAllowedOutput(const OutputRules& rules, const std::string& path) {
  if (path == rules.object || path == rules.depfile) return true;
  if (std::find(rules.dirs.begin(), rules.dirs.end(), DirName(path)) == rules.dirs.end()) {
    return false;
  }
  const std::string_view name = BaseName(path);
  if (name.empty() || name == "." || name == "..") return false;
  return std::any_of(rules.stems.begin(), rules.stems.end(), [&](const std::string& stem) {
    if (!name.starts_with(stem)) return false;
    return name.size() == stem.size() || name[stem.size()] == '.' || name[stem.size()] == '-';
  });
}

Result<uint64_t> WriteOutputs(const OutputRules& rules, wire::Answer& answer) {
  bool has_object = false;
  for (wire::OutputFile& file : answer.outputs) {
    if (!IsAllowedOutput(rules, file.path)) {
      return Error{Code::kInvalid, "unannounced-output:" + file.path};
    }
    if (file.path == rules.depfile) {
      ASSIGN_OR_RETURN(file.bytes, compiler::MapDepfile(file.bytes, answer.root, rules.family));
    }
    if (Contains(file.bytes, answer.root)) {
      return Error{Code::kInvalid, "root-in-output:" + std::string(BaseName(file.path))};
    }
    has_object |= file.path == rules.object;
  }
  const bool succeeded = WIFEXITED(answer.status) && WEXITSTATUS(answer.status) == 0;
  if (succeeded && !has_object) return Error{Code::kInvalid, "missing-output:" + rules.object};
  for (const std::string& path : answer.deleted) {
    if (path != rules.object && path != rules.depfile) {
      return Error{Code::kInvalid, "unannounced-removal:" + path};
    }
  }

  std::stable_partition(answer.outputs.begin(), answer.outputs.end(),
                        [&](const wire::OutputFile& f) { return f.path != rules.object; });
  uint64_t bytes = 0;
  for (const wire::OutputFile& file : answer.outputs) {
    // The worker ran under the same umask; set-id bits are never taken over.
    TRY(WriteFileAtomic(file.path, file.bytes, file.mode & 0777 & ~rules.umask));
    bytes += file.bytes.size();
  }
  for (const std::string& path : answer.deleted) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError(errno, path);
  }
  return bytes;
}

}  // namespace llama::daemon
