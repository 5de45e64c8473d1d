#include "execute/write.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/file_identity.h"
#include "execute/outputs.h"

namespace llama::execute {
namespace {

// The kernel stamps files by a clock that moves in ticks, at most this long (CONFIG_HZ=100).
constexpr int64_t kTickNs = 10'000'000;

bool HasEntry(files::DigestCache& digests, const std::string& path, const tree::Entry& entry) {
  if (entry.type != tree::EntryType::kFile) return false;
  const auto digest = digests.Get(path);
  return digest && digest->digest == entry.digest && digest->executable == entry.executable;
}

// The first of the closure's files that is not what it was, or empty. Raises `newest_ns` to their
// latest modification time.
std::string FindChanged(const WriteRequest& request, int64_t& newest_ns) {
  const Closure& closure = *request.action->closure;
  newest_ns = closure.newest_ns;
  if (closure.first_change) {
    if (std::string path = closure.first_change(); !path.empty()) return path;
  }
  std::unordered_map<std::string_view, int64_t> seen_ns;
  if (request.action->inodes) {
    for (const tree::Inode& inode : *request.action->inodes) {
      seen_ns.emplace(inode.path, inode.mtime_ns);
    }
  }
  std::unordered_map<std::string_view, const tree::InlineFile*> travelled;
  for (const tree::InlineFile& file : request.action->inline_files)
    travelled.emplace(file.path, &file);
  for (const auto& [path, stamp] : closure.stamps) {
    struct stat st {};
    if (request.file_system->Lstat(path, st) != 0) return path;
    const FileIdentity now = IdentityOf(st);
    newest_ns = std::max(newest_ns, now.mtime_ns);
    if (now == stamp && stamp.IsSettled(closure.looked_ns)) continue;
    const auto seen = seen_ns.find(path);
    if (seen != seen_ns.end() && seen->second != now.mtime_ns) return path;
    // Touched, or too young for its times to tell: its content does.
    if (S_ISLNK(st.st_mode)) {
      const tree::Entry* entry = closure.Find(path);
      const auto target = request.file_system->ReadLink(path);
      if (entry == nullptr || !target || *target != entry->target) return path;
      continue;
    }
    const auto file = travelled.find(path);
    if (file == travelled.end()) {
      const tree::Entry* entry = closure.Find(path);
      if (entry == nullptr || !HasEntry(*request.digests, path, *entry)) return path;
    } else {
      const std::string& sent = file->second->bytes;
      const auto bytes = request.file_system->ReadFile(path, sent.size());
      if (!bytes || *bytes != sent) return path;
    }
  }
  return {};
}

}  // namespace

OrReason<Written> Write(const WriteRequest& request) {
  const Outcome& outcome = *request.outcome;
  auto staged = StagedOutputs::Stage(request.action->outputs, outcome.wait_status, outcome.files,
                                     outcome.deleted);
  if (!staged) {
    const bool is_their_fault = staged.error().code == Code::kInvalid;
    return ReasonOf(is_their_fault ? "outputs" : "write", std::move(staged).error());
  }
  int64_t newest_ns = 0;
  if (std::string path = FindChanged(request, newest_ns); !path.empty()) {
    return Reason{"inputs-changed", std::move(path), Code::kUnavailable};
  }
  if (request.execution->is_over()) return request.execution->WhyOver();
  const int64_t staged_ns = staged->staged_ns();
  Result<void> done =
      staged->SetModifiedNs(std::max(std::min(newest_ns, staged_ns), staged_ns - kTickNs));
  if (done) done = staged->Commit();
  if (!done) return ReasonOf("write", std::move(done).error());
  return Written{outcome.files.size(), staged->bytes()};
}

}  // namespace llama::execute
