// Siblings: the other headers of a folder from which a header is wanted for the first time.
//
// A project's units take their headers from the same few folders, a few more each. Sending the
// folder's headers with the first of them makes one store object of what would be many, and every
// worker then fetches one. An extra file in the tree can't change a result
// (docs/decisions/store_requests.md).
#pragma once

#include <set>
#include <string>

#include "files/digest_cache.h"
#include "tree/layer.h"

namespace llama::execute {

class Siblings {
 public:
  explicit Siblings(files::DigestCache& digests) : digests_(digests) {}

  // Adds to `manifest` the headers beside its files, as they are now, from folders not seen before.
  // Folders that are large are left alone. What can't be read is left out. Not thread-safe.
  void AddTo(tree::Manifest& manifest);

 private:
  void AddFolder(const std::string& dir, tree::Manifest& manifest);

  files::DigestCache& digests_;
  std::set<std::string> seen_;
};

}  // namespace llama::execute
