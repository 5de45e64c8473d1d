#include "daemon/jobs/program_tree.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "execute/shippable.h"
#include "files/path_walker.h"
#include "session/environment.h"

namespace llama::daemon {
namespace {

constexpr size_t kMaxPrograms = 256;
constexpr size_t kMaxLearned = 20'000;
// A folder whose names were asked for is sent whole if it is a package's, not a collection:
// Python's library has 200 files of 6 MB, /usr/bin a thousand of 300 MB.
constexpr size_t kMaxListedFiles = 2'000;
constexpr uint64_t kMaxListedBytes = 32 << 20;
// Of a folder in which one file was looked for the others will be, too, and each would cost a round
// of its own.
constexpr size_t kMaxNeighbours = 400;
constexpr uint64_t kMaxNeighbourBytes = 8 << 20;
// System files change when the system is upgraded; what a job began with may be this old.
constexpr int64_t kFreshNs = 1'000'000'000;
constexpr int64_t kFirstRunWaitNs = 5'000'000'000;

std::string KeyOf(const ProgramQuery& query) {
  std::string key = query.program;
  for (const char* name : {"PATH", "LD_LIBRARY_PATH"}) {
    const char* value = session::FindVariable(query.env, name);
    key.append(1, '\0').append(value == nullptr ? "" : value);
  }
  return key;
}

// It is valid for the source's own time only, which a mirror does not keep.
bool IsCompiledPython(const std::string& path) { return path.find("/__pycache__") != path.npos; }

}  // namespace

ProgramTrees::Known& ProgramTrees::Find(const ProgramQuery& query) {
  const std::string key = KeyOf(query);
  if (!known_.contains(key) && known_.size() >= kMaxPrograms) known_.clear();
  Known& known = known_[key];
  if (!known.rules) {
    const char* path = session::FindVariable(query.env, "PATH");
    const char* home = session::FindVariable(query.env, "HOME");
    known.rules = std::make_unique<ShippingRules>(SplitSearchPath(path == nullptr ? "" : path),
                                                  home == nullptr ? "" : home);
    known.rules->AddProgram(query.program);
  }
  return known;
}

Result<std::shared_ptr<const ProgramTree>> ProgramTrees::Get(const ProgramQuery& query) {
  const MutexLock lock(mutex_);
  Known& known = Find(query);
  const int64_t now_ns = clock_.MonotonicNs();
  if (known.tree && now_ns - known.walked_ns < kFreshNs) return known.tree;
  ASSIGN_OR_RETURN(known.tree, Walk(query, known));
  known.walked_ns = now_ns;
  return known.tree;
}

Result<std::shared_ptr<const ProgramTree>> ProgramTrees::Walk(const ProgramQuery& query,
                                                              const Known& known) {
  auto out = std::make_shared<ProgramTree>();
  const auto walker = std::make_unique<files::PathWalker>(digests_);
  const auto add = [&](const std::string& path) -> Result<void> {
    if (!execute::IsSystemPath(path)) {
      out->others.push_back(path);
      return {};
    }
    auto added = walker->Add(path);
    return added ? Result<void>() : std::move(added).error();
  };
  const auto take = [&](const Closure& closure) -> Result<void> {
    for (const std::string& file : closure.files) TRY(add(file));
    for (const std::string& dir : closure.library_dirs) {
      auto& dirs = out->library_dirs;
      if (std::find(dirs.begin(), dirs.end(), dir) == dirs.end()) dirs.push_back(dir);
    }
    return {};
  };
  ASSIGN_OR_RETURN(const auto closure, closures_.Get(query.program, query.env));
  TRY(take(*closure));
  out->interpreter = closure->interpreter;
  for (const std::string& path : known.learned) {
    // What was learned may have gone, or never have been whole: then nobody here can use it either.
    const auto found = known.bare.contains(path) ? Result<std::shared_ptr<const Closure>>(Error{})
                                                 : closures_.Get(path, query.env);
    const auto added = found ? take(**found) : add(path);
    if (!added) LOG(kDebug, "program: " + added.error().message);
  }
  const std::string& executed = out->interpreter.empty() ? query.program : out->interpreter.front();
  ASSIGN_OR_RETURN(out->program, RealPath(executed));
  out->system = std::make_shared<const tree::Manifest>(walker->manifest());
  out->bare = known.bare;
  out->generation = known.generation;
  return std::shared_ptr<const ProgramTree>(std::move(out));
}

bool ProgramTrees::LearnOne(Known& known, const std::string& path, bool bare) {
  if (known.seen.contains(path)) return !bare && known.bare.erase(path) > 0;
  if (known.learned.size() >= kMaxLearned) return false;
  known.seen.insert(path);
  known.learned.push_back(path);
  if (bare) known.bare.insert(path);
  if (!bare && known.rules->IsInSearchPath(path)) known.rules->AddProgram(path);
  return true;
}

// Whether the file can't be used by itself.
bool ProgramTrees::NeedsMore(const std::string& path, const ProgramQuery& query) {
  const auto closure = closures_.Get(path, query.env);
  return closure && (*closure)->files.size() > 1;
}

bool ProgramTrees::LearnFolder(Known& known, const std::string& dir, const FolderBounds& bounds) {
  const auto tried = known.folders.find(dir);
  if (tried != known.folders.end() && tried->second >= bounds.files) return false;
  known.folders[dir] = bounds.files;
  if (GoesUp(dir) || !known.rules->Allow(dir)) return false;
  const auto names = ListDir(dir);
  if (!names || names->size() > bounds.files) return false;
  std::vector<std::string> paths;
  uint64_t bytes = 0;
  for (const std::string& name : *names) {
    struct stat st {};
    std::string path = JoinPath(dir, name);
    if (stat(path.c_str(), &st) != 0 || !known.rules->Allow(path)) continue;
    if (S_ISREG(st.st_mode)) bytes += static_cast<uint64_t>(st.st_size);
    if (!IsCompiledPython(path)) paths.push_back(std::move(path));
  }
  if (bytes > bounds.bytes) return false;
  bool learned = false;
  for (const std::string& path : paths) learned |= LearnOne(known, path, true);
  return learned;
}

bool ProgramTrees::Learn(const ProgramQuery& query, const ProgramTree& tree, const Lookups& lookups,
                         std::vector<std::string>& refused) {
  const MutexLock lock(mutex_);
  Known& known = Find(query);
  const bool is_old = tree.generation != known.generation;
  bool learned = false;
  bool overtaken = false;  // another job has learned it since this one's tree was made
  for (const std::string& path : lookups.absent) {
    struct stat st {};
    if (known.seen.contains(path) && !known.bare.contains(path)) {
      overtaken |= is_old;
      continue;
    }
    if (IsCompiledPython(path) || lstat(path.c_str(), &st) != 0) continue;
    if (!known.rules->Allow(path)) {
      refused.push_back(path);
      continue;
    }
    learned |= LearnOne(known, path, false);
    const std::string dir = S_ISDIR(st.st_mode) ? path : std::string(DirName(path));
    if (execute::IsSystemPath(dir))
      learned |= LearnFolder(known, dir, {kMaxNeighbours, kMaxNeighbourBytes});
  }
  for (const std::string& path : *lookups.found) {
    if (!tree.bare.contains(path) || !NeedsMore(path, query)) continue;
    const bool is_bare = known.bare.contains(path);
    overtaken |= !is_bare;
    learned |= is_bare && LearnOne(known, path, false);
  }
  for (const std::string& dir : *lookups.listed) {
    const bool is_system = execute::IsSystemPath(dir);
    overtaken |= is_old && known.folders.contains(dir);
    learned |= LearnFolder(known, dir,
                           {is_system ? kMaxListedFiles : kMaxNeighbours,
                            is_system ? kMaxListedBytes : kMaxNeighbourBytes});
  }
  if (learned) {
    known.tree = nullptr;
    known.proven = false;
    ++known.generation;
  }
  return learned || overtaken;
}

ProgramTrees::FirstRun::FirstRun(ProgramTrees& trees, const ProgramQuery& query,
                                 const std::function<bool()>& cancelled)
    : trees_(trees), key_(KeyOf(query)) {
  const MutexLock lock(trees_.mutex_);
  const int64_t give_up_ns = trees_.clock_.MonotonicNs() + kFirstRunWaitNs;
  trees_.Find(query);
  while (trees_.known_[key_].learning && !trees_.known_[key_].proven) {
    if ((cancelled && cancelled()) || trees_.clock_.MonotonicNs() > give_up_ns) return;
    trees_.learned_.WaitFor(trees_.mutex_, 100);
  }
  Known& known = trees_.known_[key_];
  if (known.proven) return;
  held_ = true;
  known.learning = true;
}

ProgramTrees::FirstRun::~FirstRun() {
  if (!held_) return;
  const MutexLock lock(trees_.mutex_);
  trees_.known_[key_].learning = false;
  trees_.learned_.NotifyAll();
}

void ProgramTrees::FirstRun::Proven() const {
  const MutexLock lock(trees_.mutex_);
  trees_.known_[key_].proven = true;
  trees_.learned_.NotifyAll();
}

}  // namespace llama::daemon
