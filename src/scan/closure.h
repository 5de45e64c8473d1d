// Closures: every file that a compile can open, from what its files say (scan/text/directives.h)
// and where it looks (scan/search/search_path.h), on a live tree (files/live_tree.h). A superset:
// conditionals are not evaluated. Each file's references are looked up once for a search path; a
// closure is kept with the versions of what it was made of. docs/inputs.md has the rules.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "files/live_tree.h"
#include "scan/directives_cache.h"
#include "scan/inodes.h"
#include "scan/search/search_path.h"
#include "scan/text/computed_name.h"
#include "scan/text/directives.h"
#include "scan/texts.h"
#include "tree/inode.h"
#include "tree/layer.h"

namespace llama::scan {

struct ClosureRequest {
  Preprocessing preprocessing;
  std::string source;  // absolute, as it is spelt
  std::string cwd;
  // What must be there besides, as far as it is: absolute.
  std::vector<std::string> others;
  bool reads_directives = true;  // not: preprocessed text, plain assembler
  // Whether a .gch beside any header is read in its place, by rules that a mirror can keep: gcc's,
  // which go by contents and options. clang's go by times, for what -include names.
  bool reads_precompiled = false;
};

// Immutable; shared by the compiles that it is the closure of.
struct Closure {
  uint64_t id = 0;  // another one for each
  // Not empty: what may only be opened by the compiler itself, since a pipe is used up by reading
  // and /dev/fd/3 is another file in another process. Then nothing else is set.
  std::string special;
  tree::Manifest manifest;
  std::string source;  // canonical
  // Canonical, of each of the request's others; empty: it was not there.
  std::vector<std::string> others;
  // Canonical: of the files and of the search path.
  std::shared_ptr<const std::vector<std::string>> folders;
  size_t file_count = 0;
  int64_t newest_ns = 0;    // modification time of the newest file
  bool is_learned = false;  // names that could not be computed are as they were learned
  Seen seen;
  tree::Inodes inodes;  // of files of which a mirror would say something else
};

class Closures {
 public:
  // Both must outlive it; no cache: texts are read once more in each process.
  explicit Closures(files::LiveTree& tree, DirectivesCache* cache = nullptr)
      : tree_(tree), texts_(cache) {}

  // As the files are now. Errors mean a rung down the ladder: kNotFound (the source), kInvalid
  // (what the scanner must not decide, named). Thread-safe.
  Result<std::shared_ptr<const Closure>> Find(const ClosureRequest& request);

  // What another way found for a request that failed: the files (absolute), which from now on stand
  // for every computed name of its that has too many values. Find learns by itself what it took
  // very long to compute. What they leave out, the check of the lookups finds; then Unlearn.
  // Thread-safe.
  void Learn(const ClosureRequest& request, std::vector<std::string> files);
  void Unlearn(const ClosureRequest& request);

  // What is at these paths (absolute) now: their canonical names, empty where there is nothing.
  // Thread-safe.
  std::vector<std::string> CanonicalOf(const std::vector<std::string>& paths);

  // The names that decide about some paths, and since when they stand as they were looked at.
  struct WatchedNames {
    std::vector<files::NameId> names;
    files::LiveTree::Moment since = 0;
    bool is_whole = true;  // false: there were too many
  };
  using IsWatched = std::function<bool(const std::string& path, const std::string& canonical)>;
  // The same, and keeps watch over those of `paths` that `is_watched`, by their names as they are
  // spelt and as they are now. Thread-safe.
  std::vector<std::string> CanonicalOf(const std::vector<std::string>& paths,
                                       const IsWatched& is_watched, WatchedNames& watched);
  // Whether CanonicalOf would give the same now. Thread-safe.
  bool Stand(const WatchedNames& watched);

  // The first file that is not what it was when the closure was made, or a name that would now lead
  // elsewhere; empty if all is as it was. Thread-safe.
  std::string FirstChange(const ClosureRequest& request, const Closure& closure);

 private:
  // A file as it is included: what its quoted names are relative to, and what it is.
  struct Node {
    files::EntryId entry = 0;
    files::FolderId folder = 0;
    bool operator==(const Node&) const = default;
    uint64_t key() const { return uint64_t{folder} << 32 | entry; }
  };
  // One reference of a file: looked up here, and if it isn't, there.
  struct Sought {
    files::LookupId first = kNone;
    files::LookupId second = kNone;
    bool both = false;
    bool is_special = false;
  };
  // Of a node along one search path.
  struct Expansion {
    std::shared_ptr<const Directives> directives;
    std::vector<Sought> sought;
  };
  struct Search {
    files::PathId quote = 0;  // quote and angle
    files::PathId angle = 0;
    std::shared_ptr<const SearchPath> path;
    std::unordered_map<uint64_t, Expansion> expansions;  // by Node::key
  };
  // What a macro may be in one closure.
  struct Macro {
    std::vector<Definition> definitions;
    uint64_t version = 0;   // rises with each change of them
    size_t texts_seen = 0;  // of the walk's texts
    size_t undefined_seen = 0;
    std::vector<Definition> waiting;  // until something that they need is defined
  };
  struct Kept {
    uint64_t epoch = 0;
    bool needs_look = false;             // some file's changes are not told
    std::vector<uint64_t> versions;      // of all that it was made of
    std::vector<files::EntryId> inodes;  // of Closure::inodes, in that order
    std::shared_ptr<const Closure> closure;
    std::list<std::string>::iterator use;
  };
  struct Walk;
  static constexpr uint32_t kNone = UINT32_MAX;

  Search& SearchFor(const std::shared_ptr<const SearchPath>& path) REQUIRES(tree_.mutex());
  Result<Expansion*> Expand(Search& search, const Node& node, files::FolderId cwd)
      REQUIRES(tree_.mutex());
  Sought Seek(const Search& search, const Reference& reference, files::FolderId folder,
              files::FolderId cwd) REQUIRES(tree_.mutex());
  Result<void> Follow(const Sought& sought, Walk& walk) REQUIRES(tree_.mutex());
  Result<void> WalkAll(Search& search, Walk& walk) REQUIRES(tree_.mutex());
  Result<void> FollowLearned(Walk& walk) REQUIRES(tree_.mutex());
  void NoteCostly(const Sought& sought, Walk& walk) REQUIRES(tree_.mutex());
  Result<bool> AddComputed(const ClosureRequest& request, Search& search, Walk& walk)
      REQUIRES(tree_.mutex());
  bool IsDefined(const ClosureRequest& request, Walk& walk, const std::string& name)
      REQUIRES(tree_.mutex());
  Result<const Macro*> MacroOf(const ClosureRequest& request, Walk& walk, const std::string& name)
      REQUIRES(tree_.mutex());
  Result<Walk> Compute(const ClosureRequest& request) REQUIRES(tree_.mutex());
  Result<void> Settle(const ClosureRequest& request, Walk& walk) REQUIRES(tree_.mutex());
  Result<void> AddPrecompiled(const ClosureRequest& request, Walk& walk) REQUIRES(tree_.mutex());
  Result<void> RefusePrecompiled(const ClosureRequest& request, Walk& walk) REQUIRES(tree_.mutex());
  Result<std::shared_ptr<const Closure>> Build(const ClosureRequest& request, const Walk& walk,
                                               std::vector<files::EntryId>& inodes)
      REQUIRES(tree_.mutex());
  bool SeesTheSame(const Kept& kept) REQUIRES(tree_.mutex());
  using KeptMap = std::unordered_map<std::string, Kept>;
  void Keep(const std::string& key, Kept kept) REQUIRES(tree_.mutex());
  void Drop(KeptMap::iterator it) REQUIRES(tree_.mutex());

  files::LiveTree& tree_;
  uint64_t next_id_ GUARDED_BY(tree_.mutex()) = 1;
  std::map<uint64_t, Search> searches_ GUARDED_BY(tree_.mutex());
  Texts texts_ GUARDED_BY(tree_.mutex());
  KeptMap kept_ GUARDED_BY(tree_.mutex());
  std::list<std::string> uses_ GUARDED_BY(tree_.mutex());  // of kept_, the last one first
  size_t kept_entries_ GUARDED_BY(tree_.mutex()) = 0;
  std::unordered_map<std::string, std::vector<std::string>> learned_ GUARDED_BY(tree_.mutex());
};

}  // namespace llama::scan
