// LiveTree: what this machine's files are now, as far as somebody asked, kept true by the kernel's
// word instead of by looking again (docs/inputs.md has the invariants, L1 to L4).
//
//   Folder   a canonical directory, with the names in it
//   Entry    one name in a folder that somebody asked for: what it is, its content's digest
//   Lookup   a name as it is spelt, from a folder or along a search path, and where it leads
//
// All are made once and kept; ids are small numbers. Versions rise when what an id says changes,
// the epoch when anything may have.
//
// Not thread-safe: its users share mutex().
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/file_identity.h"
#include "base/mutex.h"
#include "base/result.h"
#include "files/digest_cache.h"
#include "files/folder_watch.h"
#include "files/path_walker.h"
#include "tree/layer.h"

namespace llama::files {

using FolderId = uint32_t;
using EntryId = uint32_t;
using LookupId = uint32_t;
using PathId = uint32_t;  // of a search path
using NameId = uint32_t;

inline constexpr FolderId kRootFolder = 0;
inline constexpr uint32_t kNone = UINT32_MAX;  // instead of any id

// What a lookup leads to, and the folder in which its last part was found: another one than the
// entry's own if that part is a link.
struct Found {
  EntryId entry = 0;
  FolderId folder = kRootFolder;
  bool operator==(const Found&) const = default;
};

// kOther: neither of them, or nobody may look.
enum class EntryKind : unsigned char { kAbsent, kFile, kFolder, kLink, kOther };

struct LiveTreeOptions {
  bool use_inotify = true;
  size_t max_watches = SIZE_MAX;
};

class LiveTree {
 public:
  // Both must outlive the tree.
  LiveTree(DigestCache& digests, const Clock& clock, const LiveTreeOptions& options = {});
  ~LiveTree();
  LiveTree(const LiveTree&) = delete;
  LiveTree& operator=(const LiveTree&) = delete;

  Mutex& mutex() RETURN_CAPABILITY(mutex_) { return mutex_; }

  // Takes in all that happened before the call. Gives the epoch.
  uint64_t Refresh() REQUIRES(mutex_);

  // A name looked up in a folder (absolute names: from kRootFolder). Symbolic links are followed.
  LookupId Find(FolderId from, std::string_view name) REQUIRES(mutex_);
  // Folders to search one after the other, by absolute names; they need not be there.
  PathId AddPath(const std::vector<std::string>& folders) REQUIRES(mutex_);
  const std::vector<LookupId>& FoldersOf(PathId path) const REQUIRES(mutex_) {
    return paths_[path].folders;
  }
  // A name looked up along a search path: the first match, or every one.
  LookupId FindAlong(PathId path, std::string_view name, bool every) REQUIRES(mutex_);

  // The canonical names of what is at absolute paths, for whoever asks but once; empty: nothing.
  // Quick for sorted ones.
  std::vector<std::string> CanonicalNow(const std::vector<std::string>& paths) REQUIRES(mutex_);

  // A time of this tree's own: names came or went after it, or did not. As of the last Refresh.
  using Moment = uint64_t;
  Moment Now() const REQUIRES(mutex_) { return moment_; }
  // The names that decide what CanonicalNow says of `paths`: while none of them comes or goes
  // anywhere, it is the same. Distinct. Empty, though there are paths: too many to keep.
  std::vector<NameId> NamesIn(const std::vector<std::string>& paths) REQUIRES(mutex_);
  bool StandSince(const std::vector<NameId>& names, Moment moment) const REQUIRES(mutex_);

  // Where a lookup leads now: a file or a folder (or kOther); for FindAlong, regular files alone.
  // Nothing: it is not there. Valid until the next call.
  std::span<const Found> Results(LookupId lookup) REQUIRES(mutex_);
  // Rises whenever the results, or the way to them, are others.
  uint32_t VersionOf(LookupId lookup) REQUIRES(mutex_);

  EntryKind KindOf(EntryId entry) const REQUIRES(mutex_) { return entries_[entry].kind; }
  FolderId FolderOf(EntryId entry) const REQUIRES(mutex_) { return entries_[entry].folder; }
  // Of a folder's entry: the folder that it is.
  FolderId AsFolder(EntryId entry) REQUIRES(mutex_);
  std::string PathOf(EntryId entry) const REQUIRES(mutex_);  // canonical
  const std::string& FolderPath(FolderId folder) const REQUIRES(mutex_) {
    return folders_[folder].path;
  }

  // Of a file as it is now; read if that is not known, and then `text` (if not null) becomes the
  // very bytes that were digested, otherwise nothing. kNotFound: it is gone, kUnavailable: it keeps
  // changing.
  Result<const FileDigest*> ContentOf(EntryId entry, std::optional<std::string>* text = nullptr)
      REQUIRES(mutex_);
  // Rises whenever a file's content is another, or a name has become something else. As of the last
  // ContentOf.
  uint32_t ContentVersion(EntryId entry) const REQUIRES(mutex_) { return entries_[entry].version; }
  const FileIdentity& StampOfEntry(EntryId entry) const REQUIRES(mutex_) {
    return entries_[entry].stamp;
  }
  // Whether ContentOf has to look each time, whatever the epoch says.
  bool NeedsLook(EntryId entry) const REQUIRES(mutex_) { return !entries_[entry].is_trusted; }

  // Whether links, or folders that are left by "..", are on a lookup's way. As of the last look.
  bool HasWay(LookupId lookup) const REQUIRES(mutex_) { return !lookups_[lookup].way.empty(); }
  // Adds a lookup's way, and its results if they are folders.
  void AddWay(LookupId lookup, tree::Manifest& manifest) REQUIRES(mutex_);
  // Adds a file. As ContentOf.
  Result<void> AddFile(EntryId entry, tree::Manifest& manifest) REQUIRES(mutex_);

  // The precompiled headers (.gch, .pch) among its names, and perhaps some that are gone. Null: it
  // has too many names to tell. Valid until the next call.
  const std::vector<std::string>* PrecompiledIn(FolderId folder) REQUIRES(mutex_);

  size_t watch_count() const REQUIRES(mutex_) { return watched_.size(); }

 private:
  enum class Watching : unsigned char { kUnknown, kByEvents, kByStamps };
  // Who may look into a folder.
  struct Rights {
    mode_t mode = 0;
    uid_t owner = 0;
    gid_t group = 0;
    bool operator==(const Rights&) const = default;
  };
  struct Folder {
    std::string path;  // of the root: empty
    FolderId parent = kRootFolder;
    EntryId self = UINT32_MAX;  // in its parent
    Watching watching = Watching::kUnknown;
    int watch = -1;
    Rights rights;                         // kByEvents: when it was first looked into
    FileIdentity stamp;                    // kByStamps: when its names were read
    int64_t looked_ns = 0;                 // likewise
    bool is_listed = false;                // `names` holds all of them
    std::vector<std::string> precompiled;  // likewise: its precompiled headers
    uint32_t misses = 0;                   // lookups in vain while it was not listed
    std::unordered_set<uint64_t> names;    // hashes
    std::unordered_map<NameId, EntryId> entries;
  };
  struct Entry {
    FolderId folder = kRootFolder;
    NameId name = 0;
    EntryKind kind = EntryKind::kAbsent;
    bool is_kind_known = false;
    bool is_content_known = false;
    bool is_trusted = true;     // every change of its content raises an event
    bool was_modified = false;  // since its content was read, or it was closed
    bool is_mapped = false;     // seems to be written through a mapping
    uint32_t version = 0;
    FolderId as_folder = UINT32_MAX;
    std::string target;  // of links
    FileIdentity stamp;
    int64_t looked_ns = 0;
    FileDigest digest;
  };
  // A link, or a folder that is left by "..", as it was.
  struct Step {
    EntryId entry = 0;
    uint32_t version = 0;
    bool operator==(const Step&) const = default;
  };
  enum class Start : unsigned char { kFolder, kFirst, kEvery };
  struct LookupState {
    Start start = Start::kFolder;
    uint32_t from = 0;  // FolderId or PathId
    NameId name = 0;
    bool is_stale = true;
    uint32_t version = 0;
    uint32_t path_version = 0;
    std::vector<Found> results;
    std::vector<Step> way;
    std::vector<NameId> parts;  // names that were looked at: under these it is in by_name_
  };
  struct Path {
    std::vector<LookupId> folders;
    uint64_t epoch = 0;  // of the last look at the folders
    uint32_t version = 0;
    std::vector<uint32_t> versions;
  };
  struct LookupKey {
    Start start;
    uint32_t from;
    NameId name;
    bool operator==(const LookupKey&) const = default;
  };
  struct LookupKeyHash {
    size_t operator()(const LookupKey& key) const {
      return (uint64_t{key.from} << 34 ^ uint64_t{key.name} << 2 ^
              static_cast<uint64_t>(key.start)) *
             0x9e3779b97f4a7c15;
    }
  };

  NameId Intern(std::string_view name) REQUIRES(mutex_);
  LookupId Lookup(const LookupKey& key) REQUIRES(mutex_);
  void Evaluate(LookupId id) REQUIRES(mutex_);
  bool Resolve(FolderId folder, std::string_view name, LookupState& lookup, Found& found)
      REQUIRES(mutex_);
  uint32_t PathVersion(Path& path) REQUIRES(mutex_);

  std::string CanonicalWhole(std::string_view path) REQUIRES(mutex_);
  std::string CanonicalIn(FolderId folder, std::string_view name, std::string_view path)
      REQUIRES(mutex_);
  bool Peek(FolderId folder, std::string_view name, EntryId& entry) REQUIRES(mutex_);
  EntryId EntryFor(FolderId folder, NameId name) REQUIRES(mutex_);
  void LookAt(EntryId entry) REQUIRES(mutex_);
  static Rights RightsOf(const std::string& folder);
  static uint64_t HashOf(std::string_view name) { return std::hash<std::string_view>()(name); }
  static bool IsPrecompiled(std::string_view name) {
    return name.ends_with(".gch") || name.ends_with(".pch");
  }
  static void ReadKind(Entry& entry, const std::string& path);
  void Watch(FolderId folder) REQUIRES(mutex_);
  bool TellsAll(FolderId folder) REQUIRES(mutex_);
  void List(FolderId folder) REQUIRES(mutex_);
  Result<void> ReadContent(Entry& entry, const std::string& path, std::optional<std::string>* text)
      REQUIRES(mutex_);

  void Take(const Change& change) REQUIRES(mutex_);
  void NameChanged(FolderId folder, std::string_view name) REQUIRES(mutex_);
  void MakeStale(NameId name) REQUIRES(mutex_);
  void PollFolders() REQUIRES(mutex_);
  void ForgetGone() REQUIRES(mutex_);
  void Forget(Folder& folder) REQUIRES(mutex_);
  void ForgetAll() REQUIRES(mutex_);

  DigestCache& digests_;
  const Clock& clock_;
  const LiveTreeOptions options_;

  Mutex mutex_;
  std::unique_ptr<FolderWatch> watch_ GUARDED_BY(mutex_);
  uint64_t epoch_ GUARDED_BY(mutex_) = 1;
  bool told_limit_ GUARDED_BY(mutex_) = false;
  Moment moment_ GUARDED_BY(mutex_) = 1;
  Moment unknown_since_ GUARDED_BY(mutex_) = 0;          // any name may have come or gone then
  std::vector<Moment> name_moments_ GUARDED_BY(mutex_);  // by NameId: when it last came or went
  std::deque<std::string> names_ GUARDED_BY(mutex_);
  std::unordered_map<std::string_view, NameId> name_ids_ GUARDED_BY(mutex_);
  std::deque<Folder> folders_ GUARDED_BY(mutex_);
  std::deque<Entry> entries_ GUARDED_BY(mutex_);
  std::deque<LookupState> lookups_ GUARDED_BY(mutex_);
  std::unordered_map<LookupKey, LookupId, LookupKeyHash> lookup_ids_ GUARDED_BY(mutex_);
  std::vector<Path> paths_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, PathId> path_ids_ GUARDED_BY(mutex_);
  std::vector<std::vector<LookupId>> by_name_ GUARDED_BY(mutex_);  // by NameId
  std::unordered_map<int, FolderId> watched_ GUARDED_BY(mutex_);
  std::vector<FolderId> polled_ GUARDED_BY(mutex_);                  // kByStamps
  std::vector<FolderId> gone_ GUARDED_BY(mutex_);                    // since the last Refresh
  std::unordered_map<uint64_t, bool> tells_all_ GUARDED_BY(mutex_);  // by device
};

}  // namespace llama::files
