// PathWalker: from local paths to manifest entries. Walks a path component by component as the
// kernel does: every symlink on the way becomes an entry and the walk goes on at its target; a
// directory that is left again by ".." becomes an entry too, since the worker's kernel walks
// through it as well.
//
// One walker serves one job: it remembers the directories that it has resolved. Not thread-safe.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/file_identity.h"
#include "base/file_system.h"
#include "base/result.h"
#include "files/digest_cache.h"
#include "tree/layer.h"

namespace llama::files {

// On the way of one path, as the kernel has it (path_resolution(7)).
inline constexpr int kMaxSymlinks = 40;

class PathWalker {
 public:
  // Both must outlive the walker.
  explicit PathWalker(DigestCache& digests, const FileSystem& file_system = LocalFileSystem())
      : digests_(digests), file_system_(file_system) {}

  // Adds `path` (absolute) and what leads to it. A directory is added as itself, without what is in
  // it. kNotFound if it isn't there (what leads to the missing component is added all the same),
  // kInvalid for something that is neither file, directory nor symlink, or more than 40 symlinks.
  // Gives the canonical path.
  Result<std::string> Add(const std::string& path);
  // For a file that is to be made: adds the directory that is to hold it and what leads there. The
  // last component is not looked at. Gives the canonical path that the new file will have.
  Result<std::string> AddParents(const std::string& path);
  // The canonical path that Add would give, with no file digested. Adds what leads there.
  Result<std::string> Canonical(const std::string& path);

  const tree::Manifest& manifest() const { return manifest_; }
  // The manifest's paths in the order in which they came, so that a caller sees what one more Add
  // brought.
  const std::vector<std::string>& order() const { return order_; }
  // Of the files and symlinks in the manifest, as they were when they were added.
  const std::map<std::string, FileIdentity>& stamps() const { return stamps_; }

 private:
  // What a canonical path was found to be.
  enum class Kind : unsigned char { kDir, kSymlink, kFile };
  struct Found {
    Kind kind = Kind::kDir;
    std::string target;  // of symlinks
  };
  // Where a path leads. `path` is canonical; the root is empty.
  struct Place {
    std::string path;
    Kind kind = Kind::kDir;
    struct stat st {};  // of a file that was looked at just now; st_nlink 0: it was not
  };
  // The components that remain to be walked, last one first.
  using Stack = std::vector<std::string>;

  static void Push(Stack& stack, std::string_view path);
  Result<Place> Resolve(const std::string& path);
  Result<void> Walk(Stack& stack, Place& place, int& symlinks, const std::string& whole);
  Result<const Found*> Look(const std::string& path, struct stat& st, const std::string& whole);
  void Put(const std::string& path, tree::Entry entry);
  void AddDir(const std::string& path);
  Result<void> AddFile(const Place& place);

  DigestCache& digests_;
  const FileSystem& file_system_;
  tree::Manifest manifest_;
  std::vector<std::string> order_;
  std::map<std::string, FileIdentity> stamps_;
  std::unordered_map<std::string, Found> found_;           // by canonical path
  std::unordered_map<std::string, std::string> resolved_;  // directory as spelt → canonical
};

}  // namespace llama::files
