#include "files/live_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/log.h"

namespace llama::files {
namespace {

// A folder is listed when it was asked in vain so often; one with more names is not worth it.
constexpr uint32_t kMissesToList = 2;
constexpr size_t kMaxListed = 50'000;
// Some 100 bytes each; and of one set.
constexpr size_t kMaxNames = 1'000'000;
constexpr size_t kMaxNamesOfPaths = 50'000;

}  // namespace

LiveTree::LiveTree(DigestCache& digests, const Clock& clock, const LiveTreeOptions& options)
    : digests_(digests), clock_(clock), options_(options) {
  const MutexLock lock(mutex_);
  if (options_.use_inotify) {
    watch_ = FolderWatch::Open();
    if (!watch_) LOG(kWarning, "no inotify: files are looked at each time");
  }
  // The root is in no folder but its own, by an empty name: its path is "/".
  folders_.emplace_back();
  folders_[kRootFolder].self = EntryFor(kRootFolder, Intern(""));
  Entry& root = entries_[folders_[kRootFolder].self];
  root.kind = EntryKind::kFolder;
  root.is_kind_known = true;
  root.as_folder = kRootFolder;
}

LiveTree::~LiveTree() = default;

NameId LiveTree::Intern(std::string_view name) {
  const auto known = name_ids_.find(name);
  if (known != name_ids_.end()) return known->second;
  const auto id = static_cast<NameId>(names_.size());
  names_.emplace_back(name);
  name_ids_.emplace(names_.back(), id);
  by_name_.emplace_back();
  name_moments_.push_back(0);
  return id;
}

// Folders are asked for again and again, and remembered; what is in them is not, so that a file
// that nobody else asks for (an object) changes nothing when it is written.
std::vector<std::string> LiveTree::CanonicalNow(const std::vector<std::string>& paths) {
  std::vector<std::string> out(paths.size());
  std::string_view last_dir;
  FolderId folder = kNone;
  for (size_t i = 0; i < paths.size(); ++i) {
    const std::string_view path = paths[i];
    const size_t slash = path.rfind('/');
    if (slash == path.npos) continue;
    const std::string_view name = path.substr(slash + 1);
    if (name.empty() || name == "." || name == "..") {
      out[i] = CanonicalWhole(path);
      continue;
    }
    // Sorted paths share their folders.
    const std::string_view dir = path.substr(0, slash + 1);
    if (dir != last_dir) {
      last_dir = dir;
      const std::span<const Found> found = Results(Find(kRootFolder, dir));
      const bool is_folder = !found.empty() && entries_[found[0].entry].kind == EntryKind::kFolder;
      folder = is_folder ? AsFolder(found[0].entry) : kNone;
    }
    if (folder != kNone) out[i] = CanonicalIn(folder, name, path);
  }
  return out;
}

std::vector<NameId> LiveTree::NamesIn(const std::vector<std::string>& paths) {
  std::vector<NameId> names;
  const auto add_parts = [&](LookupId lookup) NO_THREAD_SAFETY_ANALYSIS {
    const std::vector<NameId>& parts = lookups_[lookup].parts;
    names.insert(names.end(), parts.begin(), parts.end());
  };
  std::string_view last_dir;
  FolderId folder = kNone;
  for (const std::string_view path : paths) {
    if (names_.size() > kMaxNames) return {};
    const size_t slash = path.rfind('/');
    const std::string_view name = path.substr(slash + 1);
    const bool is_whole = name.empty() || name == "." || name == "..";
    const std::string_view dir = path.substr(0, slash + 1);
    if (!is_whole && dir != last_dir) {
      last_dir = dir;
      const LookupId lookup = Find(kRootFolder, dir);
      const std::span<const Found> found = Results(lookup);
      const bool is_folder = !found.empty() && entries_[found[0].entry].kind == EntryKind::kFolder;
      folder = is_folder ? AsFolder(found[0].entry) : kNone;
      add_parts(lookup);
    }
    if (!is_whole && folder == kNone) continue;  // the folder's parts decide
    bool is_link = is_whole;
    if (!is_whole) {
      const NameId id = Intern(name);
      names.push_back(id);
      const auto known = folders_[folder].entries.find(id);
      is_link = known != folders_[folder].entries.end() &&
                entries_[known->second].kind == EntryKind::kLink;
    }
    if (!is_link) continue;
    const LookupId lookup = Find(kRootFolder, path);
    Results(lookup);
    add_parts(lookup);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names.size() > kMaxNamesOfPaths ? std::vector<NameId>() : names;
}

bool LiveTree::StandSince(const std::vector<NameId>& names, Moment moment) const {
  if (moment_ <= moment) return true;
  if (unknown_since_ > moment) return false;
  return std::none_of(names.begin(), names.end(), [&](NameId name) NO_THREAD_SAFETY_ANALYSIS {
    return name_moments_[name] > moment;
  });
}

std::string LiveTree::CanonicalWhole(std::string_view path) {
  const std::span<const Found> found = Results(Find(kRootFolder, path));
  return found.empty() ? "" : PathOf(found[0].entry);
}

std::string LiveTree::CanonicalIn(FolderId folder_id, std::string_view name,
                                  std::string_view path) {
  Watch(folder_id);
  Folder& folder = folders_[folder_id];
  if (const auto name_id = name_ids_.find(name); name_id != name_ids_.end()) {
    if (const auto known = folder.entries.find(name_id->second); known != folder.entries.end()) {
      LookAt(known->second);
      const EntryKind kind = entries_[known->second].kind;
      if (kind == EntryKind::kAbsent) return {};
      return kind == EntryKind::kLink ? CanonicalWhole(path) : PathOf(known->second);
    }
  }
  if (!folder.is_listed && ++folder.misses > kMissesToList) List(folder_id);
  if (folder.is_listed && !folder.names.contains(HashOf(name))) return {};
  std::string canonical = folder.path + "/" + std::string(name);
  struct stat st {};
  if (lstat(canonical.c_str(), &st) != 0) return errno == EACCES ? canonical : "";
  return S_ISLNK(st.st_mode) ? CanonicalWhole(path) : canonical;
}

// False: there is no such name. An entry is only made of what is there.
bool LiveTree::Peek(FolderId id, std::string_view name, EntryId& entry) {
  Watch(id);
  Folder& folder = folders_[id];
  if (const auto name_id = name_ids_.find(name); name_id != name_ids_.end()) {
    const auto known = folder.entries.find(name_id->second);
    if (known != folder.entries.end()) {
      entry = known->second;
      LookAt(entry);
      return entries_[entry].kind != EntryKind::kAbsent;
    }
  }
  if (!folder.is_listed && folder.misses >= kMissesToList) List(id);
  if (folder.is_listed) {
    if (!folder.names.contains(HashOf(name))) return false;
  } else {
    struct stat st {};
    if (lstat((folder.path + "/" + std::string(name)).c_str(), &st) != 0 && errno != EACCES) {
      ++folder.misses;
      return false;
    }
  }
  entry = EntryFor(id, Intern(name));
  LookAt(entry);
  return entries_[entry].kind != EntryKind::kAbsent;
}

EntryId LiveTree::EntryFor(FolderId folder, NameId name) {
  const auto [it, is_new] =
      folders_[folder].entries.try_emplace(name, static_cast<EntryId>(entries_.size()));
  if (is_new) {
    Entry& entry = entries_.emplace_back();
    entry.folder = folder;
    entry.name = name;
  }
  return it->second;
}

void LiveTree::LookAt(EntryId id) {
  Entry& entry = entries_[id];
  if (entry.is_kind_known) return;
  entry.is_kind_known = true;
  entry.is_content_known = false;
  const EntryKind before = entry.kind;
  ReadKind(entry, PathOf(id));
  // Who has been this way before sees by the version that it is none now.
  if (entry.kind != before) ++entry.version;
}

void LiveTree::ReadKind(Entry& entry, const std::string& path) {
  struct stat st {};
  if (lstat(path.c_str(), &st) != 0) {
    // To a compiler that is no absence but an error.
    entry.kind = errno == EACCES ? EntryKind::kOther : EntryKind::kAbsent;
    return;
  }
  if (S_ISREG(st.st_mode)) {
    entry.kind = EntryKind::kFile;
  } else if (S_ISDIR(st.st_mode)) {
    entry.kind = EntryKind::kFolder;
  } else if (S_ISLNK(st.st_mode)) {
    entry.kind = EntryKind::kLink;
    Result<std::string> target = ReadLink(path);
    if (target) {
      if (*target != entry.target) ++entry.version;
      entry.target = *std::move(target);
    } else {
      entry.kind = EntryKind::kAbsent;
    }
  } else {
    entry.kind = EntryKind::kOther;
  }
}

FolderId LiveTree::AsFolder(EntryId id) {
  Entry& entry = entries_[id];
  if (entry.as_folder == kNone) {
    entry.as_folder = static_cast<FolderId>(folders_.size());
    Folder& folder = folders_.emplace_back();
    folder.path = PathOf(id);
    folder.parent = entry.folder;
    folder.self = id;
  }
  return entry.as_folder;
}

std::string LiveTree::PathOf(EntryId id) const {
  const Entry& entry = entries_[id];
  return folders_[entry.folder].path + "/" + names_[entry.name];
}

void LiveTree::List(FolderId id) {
  Folder& folder = folders_[id];
  const auto names = ListDir(folder.path.empty() ? "/" : folder.path);
  if (!names || names->size() > kMaxListed) {
    folder.misses = 0;
    return;
  }
  folder.names.clear();
  folder.names.reserve(names->size());
  folder.precompiled.clear();
  for (const std::string& name : *names) {
    folder.names.insert(HashOf(name));
    if (IsPrecompiled(name)) folder.precompiled.push_back(name);
  }
  folder.is_listed = true;
}

const std::vector<std::string>* LiveTree::PrecompiledIn(FolderId id) {
  Watch(id);
  Folder& folder = folders_[id];
  if (!folder.is_listed) List(id);
  return folder.is_listed ? &folder.precompiled : nullptr;
}

Result<const FileDigest*> LiveTree::ContentOf(EntryId id, std::optional<std::string>* text) {
  if (text != nullptr) text->reset();
  Entry& entry = entries_[id];
  if (entry.is_content_known && entry.is_trusted) return &entry.digest;
  const std::string path = PathOf(id);
  TRY(ReadContent(entry, path, text));
  return &entry.digest;
}

Result<void> LiveTree::ReadContent(Entry& entry, const std::string& path,
                                   std::optional<std::string>* text) {
  const bool by_events = folders_[entry.folder].watching == Watching::kByEvents;
  struct stat st {};
  const int64_t looked_ns = clock_.NowNs();
  if (lstat(path.c_str(), &st) != 0) return ErrnoError(errno, path);
  if (!S_ISREG(st.st_mode)) return Error{Code::kNotFound, path + ": no file any more"};
  const FileIdentity stamp = IdentityOf(st);
  entry.is_trusted = by_events && st.st_nlink == 1 && !entry.is_mapped;
  const bool was_read = entry.looked_ns != 0;
  const bool is_same = was_read && stamp == entry.stamp && stamp.IsSettled(entry.looked_ns);
  if (!is_same) {
    ASSIGN_OR_RETURN(const FileDigest digest, digests_.Get(path, st, text));
    const bool changed = !was_read || digest.digest != entry.digest.digest ||
                         digest.executable != entry.digest.executable;
    entry.digest = digest;
    if (changed) ++entry.version;
  }
  entry.stamp = stamp;
  entry.looked_ns = looked_ns;
  entry.is_content_known = true;
  entry.was_modified = false;
  return {};
}

}  // namespace llama::files
