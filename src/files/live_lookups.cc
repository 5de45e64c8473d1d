// The live tree's lookups: names as they are spelt, from a folder or along a search path.
#include <algorithm>
#include <utility>

#include "files/live_tree.h"

namespace llama::files {

LookupId LiveTree::Lookup(const LookupKey& key) {
  const auto [it, is_new] = lookup_ids_.try_emplace(key, static_cast<LookupId>(lookups_.size()));
  if (is_new) {
    LookupState& lookup = lookups_.emplace_back();
    lookup.start = key.start;
    lookup.from = key.from;
    lookup.name = key.name;
  }
  return it->second;
}

LookupId LiveTree::Find(FolderId from, std::string_view name) {
  if (name.starts_with('/')) from = kRootFolder;
  return Lookup({Start::kFolder, from, Intern(name)});
}

PathId LiveTree::AddPath(const std::vector<std::string>& folders) {
  std::string key;
  for (const std::string& folder : folders) key.append(folder).push_back('\0');
  const auto [it, is_new] = path_ids_.try_emplace(key, static_cast<PathId>(paths_.size()));
  if (is_new) {
    Path& path = paths_.emplace_back();
    for (const std::string& folder : folders) path.folders.push_back(Find(kRootFolder, folder));
    path.versions.assign(path.folders.size(), kNone);
  }
  return it->second;
}

LookupId LiveTree::FindAlong(PathId path, std::string_view name, bool every) {
  if (name.starts_with('/')) return Find(kRootFolder, name);
  return Lookup({every ? Start::kEvery : Start::kFirst, path, Intern(name)});
}

uint32_t LiveTree::PathVersion(Path& path) {
  if (path.epoch == epoch_) return path.version;
  for (size_t i = 0; i < path.folders.size(); ++i) {
    const uint32_t version = VersionOf(path.folders[i]);
    if (version == path.versions[i]) continue;
    path.versions[i] = version;
    ++path.version;
  }
  path.epoch = epoch_;
  return path.version;
}

std::span<const Found> LiveTree::Results(LookupId lookup) {
  VersionOf(lookup);
  return lookups_[lookup].results;
}

uint32_t LiveTree::VersionOf(LookupId id) {
  LookupState& lookup = lookups_[id];
  const bool along = lookup.start != Start::kFolder;
  if (along && lookup.path_version != PathVersion(paths_[lookup.from])) lookup.is_stale = true;
  if (lookup.is_stale) Evaluate(id);
  return lookup.version;
}

void LiveTree::Evaluate(LookupId id) {
  LookupState& lookup = lookups_[id];
  const std::vector<Found> before = std::exchange(lookup.results, {});
  const std::vector<Step> way_before = std::exchange(lookup.way, {});
  // Before the look: what happens meanwhile makes it stale again.
  lookup.is_stale = false;
  const size_t known_parts = lookup.parts.size();
  const std::string& name = names_[lookup.name];
  Found found;
  if (lookup.start == Start::kFolder) {
    if (Resolve(lookup.from, name, lookup, found)) lookup.results.push_back(found);
  } else {
    lookup.path_version = PathVersion(paths_[lookup.from]);
    const std::vector<LookupId>& folders = paths_[lookup.from].folders;
    for (const LookupId folder : folders) {
      const std::vector<Found>& dir = lookups_[folder].results;
      if (dir.empty() || entries_[dir[0].entry].kind != EntryKind::kFolder) continue;
      if (!Resolve(AsFolder(dir[0].entry), name, lookup, found)) continue;
      if (entries_[found.entry].kind == EntryKind::kFolder) continue;
      lookup.results.push_back(found);
      if (lookup.start == Start::kFirst) break;
    }
  }
  for (size_t i = known_parts; i < lookup.parts.size(); ++i) {
    by_name_[lookup.parts[i]].push_back(id);
  }
  if (lookup.results != before || lookup.way != way_before || lookup.version == 0) {
    ++lookup.version;
  }
}

bool LiveTree::Resolve(FolderId folder, std::string_view name, LookupState& lookup, Found& where) {
  // The parts that are left, last one first.
  std::vector<std::string> left;
  const auto push = [&](std::string_view path) {
    const size_t begin = left.size();
    if (path.ends_with('/')) left.emplace_back(".");
    while (!path.empty()) {
      const size_t slash = path.rfind('/');
      const std::string_view part = path.substr(slash + 1);
      if (!part.empty()) left.emplace_back(part);
      path = slash == path.npos ? std::string_view() : path.substr(0, slash);
    }
    return left.size() > begin;
  };
  if (name.starts_with('/')) folder = kRootFolder;
  push(name);
  const auto add_step = [&](EntryId entry) NO_THREAD_SAFETY_ANALYSIS {
    lookup.way.push_back({entry, entries_[entry].version});
  };
  int links = 0;
  EntryId found = folders_[folder].self;
  FolderId last_folder = kNone;
  bool is_folder = true;
  while (!left.empty()) {
    const std::string part = std::move(left.back());
    left.pop_back();
    if (!is_folder) return false;  // ENOTDIR
    // Of the name itself, not of what a link in it leads to.
    const bool is_last = left.empty() && last_folder == kNone;
    if (part == ".") continue;
    if (part == "..") {
      if (folder != kRootFolder) add_step(folders_[folder].self);
      folder = folders_[folder].parent;
      found = folders_[folder].self;
      continue;
    }
    const NameId part_id = Intern(part);
    if (std::find(lookup.parts.begin(), lookup.parts.end(), part_id) == lookup.parts.end()) {
      lookup.parts.push_back(part_id);
    }
    if (is_last) last_folder = folder;
    EntryId entry = kNone;
    if (!Peek(folder, part, entry)) return false;
    switch (entries_[entry].kind) {
      case EntryKind::kAbsent:
        return false;
      case EntryKind::kLink: {
        if (++links > kMaxSymlinks) return false;
        add_step(entry);
        const std::string target = entries_[entry].target;
        if (target.starts_with('/')) {
          folder = kRootFolder;
          found = folders_[folder].self;
        }
        push(target);
        break;
      }
      case EntryKind::kFolder:
        folder = AsFolder(entry);
        found = entry;
        break;
      default:
        found = entry;
        is_folder = false;
    }
  }
  where = {found, last_folder == kNone ? entries_[found].folder : last_folder};
  return true;
}

void LiveTree::AddWay(LookupId id, tree::Manifest& manifest) {
  for (const Step& step : lookups_[id].way) {
    if (step.entry == folders_[kRootFolder].self) continue;  // is in no manifest
    const Entry& entry = entries_[step.entry];
    tree::Entry& added = manifest[PathOf(step.entry)];
    const bool is_link = entry.kind == EntryKind::kLink;
    added = {};
    added.type = is_link ? tree::EntryType::kSymlink : tree::EntryType::kDir;
    if (is_link) added.target = entry.target;
  }
  for (const Found& result : lookups_[id].results) {
    if (result.entry == folders_[kRootFolder].self) continue;
    if (entries_[result.entry].kind == EntryKind::kFolder) {
      manifest[PathOf(result.entry)].type = tree::EntryType::kDir;
    }
  }
}

Result<void> LiveTree::AddFile(EntryId id, tree::Manifest& manifest) {
  ASSIGN_OR_RETURN(const FileDigest* const content, ContentOf(id));
  manifest[PathOf(id)] = {
      tree::EntryType::kFile, content->executable, content->size_bytes, content->digest, {}};
  return {};
}

}  // namespace llama::files
