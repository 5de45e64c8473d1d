#include "scan/closure.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "scan/closure_walk.h"
#include "scan/text/timestamp.h"

namespace llama::scan {
namespace {

using files::EntryId;
using files::EntryKind;
using files::FolderId;
using files::Found;
using files::LookupId;

// Of all manifests that are kept, together: some 40 MB.
constexpr size_t kMaxKeptEntries = 200'000;
// A computed name may need macros of files that another one brings.
constexpr int kMaxRounds = 64;
constexpr size_t kMostSearches = 1024;
constexpr size_t kMostLearned = 1024;

std::string KeyOf(const ClosureRequest& request) {
  std::string key = std::to_string(request.preprocessing.path->id);
  key += request.reads_directives ? 'd' : '-';
  key += request.reads_precompiled ? 'p' : '-';
  key.append(request.source).push_back('\0');
  key.append(request.cwd).push_back('\0');
  for (const std::string& other : request.others) key.append(other).push_back('\0');
  for (const ForcedInclude& forced : request.preprocessing.forced) {
    key.append(forced.is_angled ? "<" : "\"").append(forced.name).push_back('\0');
  }
  for (const CommandLineMacro& macro : request.preprocessing.defined) {
    key.append(macro.is_undefined ? "-U" : "-D").append(macro.name);
    key.append("(").append(macro.parameters).append(")").append(macro.body).push_back('\0');
  }
  return key;
}

void AddSeen(const Directives& directives, Seen& seen) {
  seen.times |= directives.mentions_timestamp;
  for (const Reference& reference : directives.references) {
    seen.times |= reference.kind == ReferenceKind::kDependency;
    seen.once |= reference.kind == ReferenceKind::kImport;
  }
}

bool SeeksEvery(ReferenceKind kind) {
  return kind == ReferenceKind::kIncludeNext || kind == ReferenceKind::kHasIncludeNext;
}

}  // namespace

Closures::Search& Closures::SearchFor(const std::shared_ptr<const SearchPath>& path) {
  if (searches_.size() > kMostSearches) searches_.clear();
  Search& search = searches_[path->id];
  if (search.path) return search;
  search.path = path;
  std::vector<std::string> quote = path->quote;
  quote.insert(quote.end(), path->angle.begin(), path->angle.end());
  search.quote = tree_.AddPath(quote);
  search.angle = path->angle_is_quote ? search.quote : tree_.AddPath(path->angle);
  return search;
}

Closures::Sought Closures::Seek(const Search& search, const Reference& reference, FolderId folder,
                                FolderId cwd) {
  Sought sought;
  if (IsDeviceOrProcess(reference.name)) {
    sought.is_special = true;
    return sought;
  }
  const bool every = SeeksEvery(reference.kind);
  if (reference.kind == ReferenceKind::kIncbin ||
      reference.kind == ReferenceKind::kAssemblerInclude) {
    sought.first = tree_.Find(cwd, reference.name);
    sought.second = tree_.Find(folder, reference.name);
    return sought;
  }
  if (reference.spelling == Spelling::kAngled) {
    // The next one of a file that was found in a folder for quoted names is sought from there on.
    sought.first = tree_.FindAlong(every ? search.quote : search.angle, reference.name, every);
    return sought;
  }
  sought.second = tree_.FindAlong(search.quote, reference.name, every);
  if (search.path->skips_includer_dir) return {sought.second, kNone, false};
  sought.first = tree_.Find(folder, reference.name);
  sought.both = every;
  return sought;
}

Result<Closures::Expansion*> Closures::Expand(Search& search, const Node& node, FolderId cwd) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Directives> directives,
                   texts_.Read(tree_, node.entry));
  Expansion& expansion = search.expansions[node.key()];
  if (expansion.directives == directives) return &expansion;
  expansion.directives = directives;
  expansion.sought.clear();
  for (const Reference& reference : directives->references) {
    if (reference.spelling == Spelling::kComputed) continue;
    expansion.sought.push_back(Seek(search, reference, node.folder, cwd));
  }
  return &expansion;
}

Result<void> Closures::Follow(const Sought& sought, Walk& walk) {
  bool found = false;
  if (sought.is_special) walk.special = "a name in /dev or /proc";
  for (const LookupId lookup : {sought.first, sought.second}) {
    if (lookup == kNone || (found && !sought.both)) continue;
    bool led = false;
    for (const Found& result : tree_.Results(lookup)) {
      const EntryKind kind = tree_.KindOf(result.entry);
      if (kind == EntryKind::kFolder) continue;
      if (kind != EntryKind::kFile) {
        walk.special = tree_.PathOf(result.entry);
        continue;
      }
      walk.Add({result.entry, result.folder});
      // gcc may take a linked system header for the file that it is (-fcanonical-system-headers).
      walk.Add({result.entry, tree_.FolderOf(result.entry)});
      led = true;
    }
    // In vain as well: up to 16, clang calls a folder by the first name that it looked it up by,
    // and a loop of links is no absence to gcc.
    if (tree_.HasWay(lookup)) walk.AddWay(lookup);
    found = found || led;
  }
  return {};
}

Result<void> Closures::WalkAll(Search& search, Walk& walk) {
  for (; walk.expanded < walk.nodes.size(); ++walk.expanded) {
    const Node node = walk.nodes[walk.expanded];
    ASSIGN_OR_RETURN(Expansion* const expansion, Expand(search, node, walk.cwd));
    if (tree_.NeedsLook(node.entry)) {
      walk.needs_look = true;
      LOG(kDebug, "needs a look each time: " + tree_.PathOf(node.entry));
    }
    if (walk.seen_texts.insert(node.entry).second) {
      walk.texts.push_back(node.entry);
      const std::vector<uint32_t>& names = expansion->directives->undefined_names;
      walk.undefined.insert(names.begin(), names.end());
    }
    for (const Sought& sought : expansion->sought) TRY(Follow(sought, walk));
  }
  return {};
}

Result<Closures::Walk> Closures::Compute(const ClosureRequest& request) {
  Search& search = SearchFor(request.preprocessing.path);
  Walk walk;
  if (!learned_.empty()) {
    const auto learned = learned_.find(KeyOf(request));
    if (learned != learned_.end()) walk.learned = &learned->second;
  }
  if (request.cwd != "/") {
    const std::span<const Found> cwd = tree_.Results(tree_.Find(files::kRootFolder, request.cwd));
    if (cwd.empty() || tree_.KindOf(cwd[0].entry) != EntryKind::kFolder) {
      return Error{Code::kNotFound, request.cwd + ": no such folder"};
    }
    walk.cwd = tree_.AsFolder(cwd[0].entry);
  }
  if (IsDeviceOrProcess(request.source)) {
    walk.special = request.source;
    return walk;
  }
  const LookupId source = tree_.Find(files::kRootFolder, request.source);
  TRY(Follow({source}, walk));
  if (!walk.special.empty()) return walk;
  if (walk.nodes.empty()) return Error{Code::kNotFound, request.source + ": no such file"};
  for (const std::string& other : request.others) {
    walk.others.push_back(tree_.Find(files::kRootFolder, other));
  }
  walk.named = walk.others.size();
  if (!request.reads_directives) {
    walk.expanded = walk.nodes.size();
    ASSIGN_OR_RETURN([[maybe_unused]] const auto* content, tree_.ContentOf(walk.nodes[0].entry));
    walk.needs_look = tree_.NeedsLook(walk.nodes[0].entry);
    return walk;
  }
  for (const ForcedInclude& forced : request.preprocessing.forced) {
    Sought sought;
    if (IsDeviceOrProcess(forced.name)) {
      sought.is_special = true;
    } else if (forced.is_angled) {
      sought.first = tree_.FindAlong(search.angle, forced.name, false);
    } else {
      sought.first = tree_.Find(walk.cwd, forced.name);
      sought.second = tree_.FindAlong(search.quote, forced.name, false);
    }
    TRY(Follow(sought, walk));
  }
  for (int round = 0;; ++round) {
    if (walk.special.empty()) TRY(WalkAll(search, walk));
    if (!walk.special.empty()) return walk;
    ASSIGN_OR_RETURN(const bool more, AddComputed(request, search, walk));
    if (!more) {
      walk.expander.reset();
      return walk;
    }
    if (round == kMaxRounds) {
      return Error{Code::kInvalid, request.source + ": computed includes without an end"};
    }
  }
}

// What the walk came to besides its files, and all of it as numbers that can be compared.
Result<void> Closures::Settle(const ClosureRequest& request, Walk& walk) {
  if (request.reads_directives) {
    const std::vector<LookupId>& path =
        tree_.FoldersOf(SearchFor(request.preprocessing.path).quote);
    walk.others.insert(walk.others.end(), path.begin(), path.end());
    for (const std::string& folder : request.preprocessing.path->left_out) {
      walk.others.push_back(tree_.Find(files::kRootFolder, folder));
    }
    TRY(AddPrecompiled(request, walk));
  }
  walk.versions = {walk.nodes.size(), walk.ways.size()};
  for (const LookupId lookup : walk.ways) {
    walk.versions.push_back(uint64_t{lookup} << 32 | tree_.VersionOf(lookup));
  }
  for (const Node& node : walk.nodes) {
    walk.folders.insert(node.folder);
    walk.folders.insert(tree_.FolderOf(node.entry));
    walk.versions.push_back(uint64_t{node.entry} << 32 | tree_.ContentVersion(node.entry));
  }
  for (const LookupId lookup : walk.others) {
    walk.versions.push_back(uint64_t{lookup} << 32 | tree_.VersionOf(lookup));
    if (tree_.Results(lookup).empty()) continue;
    const EntryId entry = tree_.Results(lookup)[0].entry;
    switch (tree_.KindOf(entry)) {
      case EntryKind::kFile: {
        ASSIGN_OR_RETURN([[maybe_unused]] const auto* content, tree_.ContentOf(entry));
        walk.other_files.push_back(entry);
        walk.folders.insert(tree_.FolderOf(entry));
        walk.versions.push_back(uint64_t{entry} << 32 | tree_.ContentVersion(entry));
        if (tree_.NeedsLook(entry)) walk.needs_look = true;
        break;
      }
      case EntryKind::kFolder:
        walk.folders.insert(tree_.AsFolder(entry));
        break;
      default:
        return Error{Code::kInvalid, tree_.PathOf(entry) + ": not a regular file"};
    }
  }
  return {};
}

// gcc tries those in the headers' folders, and which of them are valid is for it to say.
Result<void> Closures::AddPrecompiled(const ClosureRequest& request, Walk& walk) {
  if (!request.reads_precompiled) return RefusePrecompiled(request, walk);
  std::set<FolderId> folders;
  for (const Node& node : walk.nodes) folders.insert({node.folder, tree_.FolderOf(node.entry)});
  for (const FolderId folder : folders) {
    const std::vector<std::string>* names = tree_.PrecompiledIn(folder);
    const std::string& path = tree_.FolderPath(folder);
    if (names == nullptr) return Error{Code::kInvalid, path + ": too many names"};
    for (const std::string& name : std::vector<std::string>(*names)) {
      if (!name.ends_with(".gch")) continue;
      const LookupId lookup = tree_.Find(folder, name);
      const std::span<const Found> found = tree_.Results(lookup);
      if (!found.empty() && tree_.KindOf(found[0].entry) == EntryKind::kFolder) {
        return Error{Code::kInvalid, path + "/" + name + ": several precompiled headers"};
      }
      walk.others.push_back(lookup);
    }
  }
  return {};
}

// clang's driver looks beside what -include names, by that name alone.
Result<void> Closures::RefusePrecompiled(const ClosureRequest& request, Walk& walk) {
  for (const ForcedInclude& forced : request.preprocessing.forced) {
    for (const char* suffix : {".pch", ".gch"}) {
      const LookupId lookup = tree_.Find(walk.cwd, forced.name + suffix);
      if (!tree_.Results(lookup).empty()) {
        return Error{Code::kInvalid, "precompiled header: " + forced.name + suffix};
      }
      walk.others.push_back(lookup);
    }
  }
  return {};
}

Result<std::shared_ptr<const Closure>> Closures::Build(const ClosureRequest& request,
                                                       const Walk& walk,
                                                       std::vector<EntryId>& inodes) {
  auto closure = std::make_shared<Closure>();
  closure->id = next_id_++;
  closure->source = tree_.PathOf(walk.nodes[0].entry);
  for (const CommandLineMacro& macro : request.preprocessing.defined) {
    closure->seen.times |= HasTimestampPart(macro.body);
  }
  Inodes seen;
  std::unordered_map<std::string, EntryId> entries;
  for (const Node& node : walk.nodes) {
    TRY(tree_.AddFile(node.entry, closure->manifest));
    ASSIGN_OR_RETURN(const files::FileDigest* const content, tree_.ContentOf(node.entry));
    const FileIdentity& stamp = tree_.StampOfEntry(node.entry);
    closure->newest_ns = std::max(closure->newest_ns, stamp.mtime_ns);
    const auto [known, is_new] = entries.emplace(tree_.PathOf(node.entry), node.entry);
    if (!is_new) continue;
    seen.Add(known->first, content->digest, stamp);
    // A text whose directives are read is known better than by its bytes.
    if (const Directives* const directives = texts_.LastRead(node.entry)) {
      AddSeen(*directives, closure->seen);
    } else {
      closure->seen.times |= (content->text_flags & files::kMentionsTimestamp) != 0;
    }
  }
  closure->inodes = seen.Take(closure->seen);
  if (closure->inodes) {
    for (const tree::Inode& inode : *closure->inodes) inodes.push_back(entries.at(inode.path));
  }
  closure->file_count = walk.nodes.size();
  closure->is_learned = walk.used_learned;
  for (const EntryId file : walk.other_files) TRY(tree_.AddFile(file, closure->manifest));
  for (const LookupId lookup : walk.ways) tree_.AddWay(lookup, closure->manifest);
  for (const LookupId lookup : walk.others) tree_.AddWay(lookup, closure->manifest);
  for (size_t i = 0; i < walk.named; ++i) {
    const std::span<const Found> found = tree_.Results(walk.others[i]);
    closure->others.push_back(found.empty() ? "" : tree_.PathOf(found[0].entry));
  }
  auto folders = std::make_shared<std::vector<std::string>>();
  for (const FolderId folder : walk.folders) folders->push_back(tree_.FolderPath(folder));
  closure->folders = std::move(folders);
  return std::shared_ptr<const Closure>(std::move(closure));
}

// Whether the times and identities that it names are those of now.
bool Closures::SeesTheSame(const Kept& kept) {
  if (!kept.closure->inodes) return true;
  std::map<uint64_t, FileId> by_number;
  std::map<std::pair<dev_t, ino_t>, uint64_t> by_file;
  for (size_t i = 0; i < kept.inodes.size(); ++i) {
    const tree::Inode& was = (*kept.closure->inodes)[i];
    const FileIdentity& now = tree_.StampOfEntry(kept.inodes[i]);
    const FileId id{now.device, now.inode};
    if (now.mtime_ns != was.mtime_ns || by_number.emplace(was.number, id).first->second != id ||
        by_file.emplace(std::pair(id.device, id.inode), was.number).first->second != was.number) {
      return false;
    }
  }
  return true;
}

Result<std::shared_ptr<const Closure>> Closures::Find(const ClosureRequest& request) {
  const std::string key = KeyOf(request);
  const MutexLock lock(tree_.mutex());
  const uint64_t epoch = tree_.Refresh();
  const auto it = kept_.find(key);
  if (it != kept_.end() && it->second.epoch == epoch && !it->second.needs_look) {
    uses_.splice(uses_.begin(), uses_, it->second.use);
    return it->second.closure;
  }
  ASSIGN_OR_RETURN(Walk walk, Compute(request));
  if (!walk.special.empty()) {
    auto closure = std::make_shared<Closure>();
    closure->special = std::move(walk.special);
    return std::shared_ptr<const Closure>(std::move(closure));
  }
  TRY(Settle(request, walk));
  if (walk.learned == nullptr && kMaxSteps - walk.steps_left > kMostStepsAgain) {
    if (learned_.size() >= kMostLearned) learned_.clear();
    std::vector<std::string>& files = learned_[key];
    for (const EntryId entry : walk.costly) files.push_back(tree_.PathOf(entry));
  }
  if (it != kept_.end()) {
    it->second.epoch = epoch;
    if (it->second.versions == walk.versions && SeesTheSame(it->second)) return it->second.closure;
    Drop(it);
  }
  std::vector<EntryId> inodes;
  ASSIGN_OR_RETURN(std::shared_ptr<const Closure> closure, Build(request, walk, inodes));
  Keep(key, {epoch, walk.needs_look, std::move(walk.versions), std::move(inodes), closure, {}});
  return closure;
}

void Closures::Learn(const ClosureRequest& request, std::vector<std::string> files) {
  const MutexLock lock(tree_.mutex());
  if (learned_.size() >= kMostLearned) learned_.clear();
  learned_[KeyOf(request)] = std::move(files);
}

void Closures::Unlearn(const ClosureRequest& request) {
  const std::string key = KeyOf(request);
  const MutexLock lock(tree_.mutex());
  learned_.erase(key);
  const auto kept = kept_.find(key);
  if (kept != kept_.end()) Drop(kept);
}

void Closures::Keep(const std::string& key, Kept kept) {
  uses_.push_front(key);
  kept.use = uses_.begin();
  kept_entries_ += kept.closure->manifest.size();
  kept_.emplace(key, std::move(kept));
  while (kept_entries_ > kMaxKeptEntries && uses_.size() > 1) Drop(kept_.find(uses_.back()));
}

void Closures::Drop(KeptMap::iterator it) {
  kept_entries_ -= it->second.closure->manifest.size();
  uses_.erase(it->second.use);
  kept_.erase(it);
}

std::vector<std::string> Closures::CanonicalOf(const std::vector<std::string>& paths) {
  const MutexLock lock(tree_.mutex());
  tree_.Refresh();
  return tree_.CanonicalNow(paths);
}

std::vector<std::string> Closures::CanonicalOf(const std::vector<std::string>& paths,
                                               const IsWatched& is_watched, WatchedNames& watched) {
  const MutexLock lock(tree_.mutex());
  tree_.Refresh();
  // Before anything is looked at, or what happens meanwhile would pass unseen.
  if (watched.since == 0) watched.since = tree_.Now();
  std::vector<std::string> canonical = tree_.CanonicalNow(paths);
  std::vector<std::string> to_watch;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (is_watched(paths[i], canonical[i])) to_watch.push_back(paths[i]);
  }
  const std::vector<files::NameId> names = tree_.NamesIn(to_watch);
  if (names.empty() && !to_watch.empty()) watched.is_whole = false;
  watched.names.insert(watched.names.end(), names.begin(), names.end());
  return canonical;
}

bool Closures::Stand(const WatchedNames& watched) {
  const MutexLock lock(tree_.mutex());
  tree_.Refresh();
  return tree_.StandSince(watched.names, watched.since);
}

std::string Closures::FirstChange(const ClosureRequest& request, const Closure& closure) {
  const auto now = Find(request);
  if (!now) return request.source;
  if ((*now)->id == closure.id) return {};
  const auto differ = [](const tree::Manifest& a, const tree::Manifest& b) -> std::string {
    for (const auto& [path, entry] : a) {
      const auto other = b.find(path);
      if (other == b.end() || !(other->second == entry)) return path;
    }
    return {};
  };
  std::string path = differ(closure.manifest, (*now)->manifest);
  if (path.empty()) path = differ((*now)->manifest, closure.manifest);
  if (!path.empty() || !closure.inodes || !(*now)->inodes) return path;
  // The same contents, so the same files.
  const auto [was, is] = std::mismatch(closure.inodes->begin(), closure.inodes->end(),
                                       (*now)->inodes->begin(), (*now)->inodes->end());
  return was == closure.inodes->end() ? std::string() : was->path;
}

}  // namespace llama::scan
