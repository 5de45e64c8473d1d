// PathWalker: from local paths to manifest entries. Walks a path component by component as the
// kernel does: every symlink on the way becomes an entry and the walk goes on at its target; a
// directory that is left again by ".." becomes an entry too, since the worker's kernel walks
// through it as well.
//
// One walker serves one job: it remembers the directories that it has resolved. Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "files/digest_cache.h"
#include "tree/layer.h"

namespace llama::files {

class PathWalker {
 public:
  // `digests` must outlive the walker.
  static std::unique_ptr<PathWalker> Create(DigestCache& digests);
  virtual ~PathWalker() = default;

  // Adds `path` (absolute) and what leads to it. A directory is added as itself, without what is in
  // it. kNotFound if it isn't there (what leads to the missing component is added all the same),
  // kInvalid for something that is neither file, directory nor symlink, or more than 40 symlinks.
  // Gives the canonical path.
  virtual Result<std::string> Add(const std::string& path) = 0;
  // For a file that is to be made: adds the directory that is to hold it and what leads there. The
  // last component is not looked at. Gives the canonical path that the new file will have.
  virtual Result<std::string> AddParents(const std::string& path) = 0;

  virtual const tree::Manifest& manifest() const = 0;
  // Of all files added so far: store::TextFlag or-ed.
  virtual unsigned text_flags() const = 0;
};

}  // namespace llama::files
