#include "daemon/jobs/outputs.h"

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

// What compilers write beside an object, by what follows the object's or the source's stem: notes,
// split debug info, intermediate files, statistics, optimisation records. Never a source or a
// header.
bool IsCompanionSuffix(std::string_view suffix) {
  constexpr std::string_view kKnown[] = {
      ".o", ".d",  ".gcno", ".dwo", ".su",  ".ci",    ".i",        ".ii",
      ".s", ".bc", ".json", ".gkd", ".dia", ".stats", ".opt.yaml", ".opt-record.json.gz",
  };
  if (std::find(std::begin(kKnown), std::end(kKnown), suffix) != std::end(kKnown)) return true;
  // gcc's dumps: a.c.006t.gimple, a.c.244r.expand, a.c.000i.cgraph.
  if (suffix.size() < 6 || suffix[0] != '.') return false;
  const auto digit = [&](size_t i) { return suffix[i] >= '0' && suffix[i] <= '9'; };
  return digit(1) && digit(2) && digit(3) &&
         (suffix[4] == 't' || suffix[4] == 'r' || suffix[4] == 'i') && suffix[5] == '.';
}

}  // namespace

bool IsAllowedOutput(const OutputRules& rules, const std::string& path) {
  if (path == rules.object || path == rules.depfile) return true;
  if (std::find(rules.dirs.begin(), rules.dirs.end(), DirName(path)) == rules.dirs.end()) {
    return false;
  }
  const std::string_view name = BaseName(path);
  return std::any_of(rules.stems.begin(), rules.stems.end(), [&](const std::string& stem) {
    return name.starts_with(stem) && IsCompanionSuffix(name.substr(stem.size()));
  });
}

Result<uint64_t> WriteOutputs(const OutputRules& rules, job::Answer& answer) {
  bool has_object = false;
  for (job::OutputFile& file : answer.outputs) {
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
                        [&](const job::OutputFile& f) { return f.path != rules.object; });
  uint64_t bytes = 0;
  for (const job::OutputFile& file : answer.outputs) {
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
