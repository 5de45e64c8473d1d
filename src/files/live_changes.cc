// The live tree's changes: what the kernel tells of folders, and what is looked at where it does
// not.
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "files/live_tree.h"

namespace llama::files {
namespace {

// By statfs(2)'s number: file systems of this machine alone, whose every change goes through the
// kernel's view of the folder that it is in.
bool IsLocal(int64_t type) {
  switch (type) {
    case 0xef53:      // ext2 to ext4
    case 0x58465342:  // xfs
    case 0x9123683e:  // btrfs
    case 0xf2f52010:  // f2fs
    case 0x01021994:  // tmpfs
      return true;
    default:
      return false;
  }
}

}  // namespace

uint64_t LiveTree::Refresh() {
  if (watch_) {
    watch_->Drain([this](const Change& change) NO_THREAD_SAFETY_ANALYSIS { Take(change); });
  }
  if (!gone_.empty()) ForgetGone();
  PollFolders();
  return epoch_;
}

void LiveTree::Take(const Change& change) {
  if (change.kind == ChangeKind::kOverflow) return ForgetAll();
  const auto watched = watched_.find(change.watch);
  if (watched == watched_.end()) return;
  const FolderId id = watched->second;
  if (change.kind == ChangeKind::kFolder) {
    const Folder& folder = folders_[id];
    if (id == kRootFolder) return ForgetAll();
    return NameChanged(folder.parent, names_[entries_[folder.self].name]);
  }
  if (change.kind == ChangeKind::kRights) {
    const Folder& folder = folders_[id];
    return RightsOf(folder.path) == folder.rights ? void() : ForgetAll();
  }
  if (change.kind == ChangeKind::kNames) return NameChanged(id, change.name);
  const auto name = name_ids_.find(change.name);
  if (name == name_ids_.end()) return;
  const auto found = folders_[id].entries.find(name->second);
  if (found == folders_[id].entries.end()) return;
  Entry& entry = entries_[found->second];
  if (entry.kind != EntryKind::kFile) return;
  if (change.kind == ChangeKind::kClosed) {
    // Open for writing, and nothing was written by a call: perhaps through a mapping.
    if (!entry.was_modified) entry.is_mapped = true;
    entry.was_modified = false;
    if (!entry.is_mapped) return;
  } else {
    entry.was_modified = true;
  }
  entry.is_content_known = false;
  ++epoch_;
  LOG(kDebug, "changed: " + PathOf(found->second));
}

void LiveTree::NameChanged(FolderId id, std::string_view name) {
  Folder& folder = folders_[id];
  if (folder.is_listed) {
    // Whether it came or went, and what became of that since, is for the file system to say.
    struct stat st {};
    const std::string path = folder.path + "/" + std::string(name);
    if (lstat(path.c_str(), &st) == 0) {
      folder.names.insert(HashOf(name));
      if (IsPrecompiled(name) && std::find(folder.precompiled.begin(), folder.precompiled.end(),
                                           name) == folder.precompiled.end()) {
        folder.precompiled.emplace_back(name);
        ++epoch_;
      }
    } else {
      folder.names.erase(HashOf(name));
    }
  }
  const auto known = name_ids_.find(name);
  if (known == name_ids_.end()) return;
  name_moments_[known->second] = ++moment_;
  const auto found = folder.entries.find(known->second);
  if (found != folder.entries.end()) {
    Entry& entry = entries_[found->second];
    if (entry.as_folder != kNone) gone_.push_back(entry.as_folder);
    entry.is_kind_known = false;
    entry.is_content_known = false;
    entry.was_modified = false;
    ++epoch_;
    LOG(kDebug, "came or went: " + PathOf(found->second));
  }
  MakeStale(known->second);
}

void LiveTree::MakeStale(NameId name) {
  for (const LookupId lookup : by_name_[name]) lookups_[lookup].is_stale = true;
  if (!by_name_[name].empty()) ++epoch_;
}

// Folders of which the kernel does not tell.
void LiveTree::PollFolders() {
  for (size_t i = 0; i < polled_.size(); ++i) {
    Folder& folder = folders_[polled_[i]];
    struct stat st {};
    const int64_t now_ns = clock_.NowNs();
    if (lstat(folder.path.empty() ? "/" : folder.path.c_str(), &st) != 0) return ForgetAll();
    const FileIdentity stamp = IdentityOf(st);
    if (stamp == folder.stamp && stamp.IsSettled(folder.looked_ns)) continue;
    if (stamp.inode != folder.stamp.inode || stamp.device != folder.stamp.device) {
      return ForgetAll();
    }
    folder.stamp = stamp;
    folder.looked_ns = now_ns;
    folder.is_listed = false;
    folder.names.clear();
    for (const auto& [name, id] : folder.entries) {
      entries_[id].is_kind_known = false;
      entries_[id].is_content_known = false;
    }
    // Which names came can't be told from those that went.
    unknown_since_ = ++moment_;
    for (LookupState& lookup : lookups_) lookup.is_stale = true;
    ++epoch_;
  }
}

// Folders that went, or are others now: nothing below them is known, nor what was found by way of
// them. The lookups that name them are stale already.
void LiveTree::ForgetGone() {
  std::vector<bool> is_gone(folders_.size());
  for (const FolderId id : std::exchange(gone_, {})) is_gone[id] = true;
  // A folder's id is higher than its parent's.
  for (FolderId id = kRootFolder + 1; id < folders_.size(); ++id) {
    if (is_gone[folders_[id].parent]) is_gone[id] = true;
    if (is_gone[id]) Forget(folders_[id]);
  }
  std::erase_if(polled_, [&](FolderId id) { return is_gone[id]; });
  for (LookupState& lookup : lookups_) {
    if (lookup.start == Start::kFolder && is_gone[lookup.from]) lookup.is_stale = true;
  }
  const auto leads_there = [&](LookupId folder) NO_THREAD_SAFETY_ANALYSIS {
    const std::vector<Found>& found = lookups_[folder].results;
    const FolderId id = found.empty() ? kNone : entries_[found[0].entry].as_folder;
    return id != kNone && is_gone[id];
  };
  for (Path& path : paths_) {
    if (std::any_of(path.folders.begin(), path.folders.end(), leads_there)) ++path.version;
  }
  ++epoch_;
}

void LiveTree::Forget(Folder& folder) {
  if (folder.watch >= 0) {
    watch_->Remove(folder.watch);
    watched_.erase(folder.watch);
  }
  folder.watching = Watching::kUnknown;
  folder.watch = -1;
  folder.is_listed = false;
  folder.names.clear();
  for (const auto& [name, id] : folder.entries) {
    entries_[id].is_kind_known = false;
    entries_[id].is_content_known = false;
  }
}

void LiveTree::ForgetAll() {
  unknown_since_ = ++moment_;
  gone_.clear();
  polled_.clear();
  tells_all_.clear();
  for (Folder& folder : folders_) Forget(folder);
  for (LookupState& lookup : lookups_) lookup.is_stale = true;
  ++epoch_;
}

LiveTree::Rights LiveTree::RightsOf(const std::string& folder) {
  struct stat st {};
  if (lstat(folder.empty() ? "/" : folder.c_str(), &st) != 0) return {};
  return {st.st_mode, st.st_uid, st.st_gid};
}

bool LiveTree::TellsAll(FolderId id) {
  const std::string path = folders_[id].path.empty() ? "/" : folders_[id].path;
  struct stat st {};
  if (!watch_ || lstat(path.c_str(), &st) != 0) return false;
  const auto [it, is_new] = tells_all_.try_emplace(st.st_dev, false);
  if (is_new) {
    struct statfs fs {};
    it->second = statfs(path.c_str(), &fs) == 0 && IsLocal(fs.f_type);
  }
  return it->second;
}

// Decides where the truth about a folder comes from, before anything of it is read (L1).
void LiveTree::Watch(FolderId id) {
  if (folders_[id].watching != Watching::kUnknown) return;
  if (id != kRootFolder) Watch(folders_[id].parent);
  Folder& folder = folders_[id];
  if (TellsAll(id)) {
    const bool has_room = watched_.size() < options_.max_watches;
    Result<int> watch = has_room ? watch_->Add(folder.path.empty() ? "/" : folder.path)
                                 : Error{Code::kUnavailable, "as configured"};
    if (watch) {
      folder.watching = Watching::kByEvents;
      folder.watch = *watch;
      folder.rights = RightsOf(folder.path);
      watched_.emplace(*watch, id);
      return;
    }
    if (watch.error().code == Code::kUnavailable && !std::exchange(told_limit_, true)) {
      LOG(kWarning, "inotify: " + watch.error().message + " after " +
                        std::to_string(watched_.size()) +
                        " folders; the others are looked at each time "
                        "(fs.inotify.max_user_watches)");
    }
  }
  folder.watching = Watching::kByStamps;
  struct stat st {};
  folder.looked_ns = clock_.NowNs();
  if (lstat(folder.path.empty() ? "/" : folder.path.c_str(), &st) == 0)
    folder.stamp = IdentityOf(st);
  polled_.push_back(id);
}

}  // namespace llama::files
